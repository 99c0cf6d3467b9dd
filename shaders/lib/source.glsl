// lib/source.glsl: read-only operands, as texel buffers or as storage buffers. A
// software driver reads texels several times faster than storage, lane by lane.
// Use: SOURCE(slot, block, name, texel) declares an operand of vec4 (texel 4) or
// float (texel 1) elements; FETCH4(name, i) and FETCH1(name, i) read one.
// Defines: USE_TEXEL takes texel buffers: unit slot, sampler location 64 + slot
#ifdef USE_TEXEL
#define SOURCE4(slot, block, name) layout(location = 64 + slot, binding = slot) uniform samplerBuffer name
#define SOURCE1(slot, block, name) layout(location = 64 + slot, binding = slot) uniform samplerBuffer name
#define FETCH4(name, i) texelFetch(name, i)
#define FETCH1(name, i) texelFetch(name, i).x
#else
#define SOURCE4(slot, block, name) layout(std430, binding = slot) readonly buffer block { vec4 name[]; }
#define SOURCE1(slot, block, name) layout(std430, binding = slot) readonly buffer block { float name[]; }
#define FETCH4(name, i) name[i]
#define FETCH1(name, i) name[i]
#endif
