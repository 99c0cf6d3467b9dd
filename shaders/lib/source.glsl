// lib/source.glsl: read-only operands, as texel buffers or as storage buffers. A
// software driver reads texels several times faster than storage, lane by lane.
// Use: SOURCE4(slot, location, block, name) declares an operand of vec4 elements,
// SOURCE1 one of floats; FETCH4(name, i) and FETCH1(name, i) read an element. The
// location is that of the sampler, which must be explicit: 64 + slot, in digits.
// Defines: USE_TEXEL takes texel buffers, at the texture unit of the same number
#ifdef USE_TEXEL
#define SOURCE4(slot, loc, block, name) layout(location = loc, binding = slot) uniform samplerBuffer name
#define SOURCE1(slot, loc, block, name) layout(location = loc, binding = slot) uniform samplerBuffer name
#define FETCH4(name, i) texelFetch(name, i)
#define FETCH1(name, i) texelFetch(name, i).x
#else
#define SOURCE4(slot, loc, block, name) layout(std430, binding = slot) readonly buffer block { vec4 name[]; }
#define SOURCE1(slot, loc, block, name) layout(std430, binding = slot) readonly buffer block { float name[]; }
#define FETCH4(name, i) name[i]
#define FETCH1(name, i) name[i]
#endif
