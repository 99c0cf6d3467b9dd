// gather.comp: slices of x along an axis, by number.
// Math: y[a, i, b] = x[a, index[i], b], bit by bit; an index below 0 counts from the
// end, and one that names no element gives NONE and reads nothing
// Bindings: 0 x ro, 2 index ro (texels if USE_TEXEL), 1 y wo, 32-bit words (std430)
// Uniforms: 0 the sizes below
// Defines: VEC 4 or 1 words an element; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#if VEC == 4
#define VALUE uvec4
#define VIEW isamplerBuffer
#else
#define VALUE uint
#define VIEW usamplerBuffer
#endif
#ifdef USE_TEXEL
layout(location = 64, binding = 0) uniform VIEW x;
layout(location = 66, binding = 2) uniform isamplerBuffer index;
#if VEC == 4
#define X_AT(i) uvec4(texelFetch(x, i))
#else
#define X_AT(i) texelFetch(x, i).x
#endif
#define INDEX(i) texelFetch(index, i).x
#else
layout(std430, binding = 0) readonly buffer X { VALUE x[]; };
layout(std430, binding = 2) readonly buffer Index { int index[]; };
#define X_AT(i) x[i]
#define INDEX(i) index[i]
#endif
layout(std430, binding = 1) writeonly buffer Y { VALUE y[]; };
layout(location = 0) uniform uint u[9];
#define COUNT u[0]   // elements of y
#define NONE u[1]    // the word where there is no element
#define N u[2]       // elements of x along the axis
#define INNER u[3]   // elements behind it
#define INDICES u[4]
#define BY_INNER uvec2(u[5], u[6]) // lib/divide.glsl
#define BY_INDICES uvec2(u[7], u[8])

void main() {
    uint id = invocation();
    if (id >= COUNT)
        return;
    uint q = divide(id, BY_INNER), b = id - q * INNER;
    uint a = divide(q, BY_INDICES), i = q - a * INDICES;
    int k = INDEX(int(i));
    if (k < 0)
        k += int(N);
    VALUE v = VALUE(NONE);
    if (uint(k) < N)
        v = X_AT(int((a * N + uint(k)) * INNER + b));
    y[id] = v;
}
