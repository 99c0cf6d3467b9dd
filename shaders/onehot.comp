// onehot.comp: 1 at an index, 0 elsewhere.
// Math: y[a, j, b] = 1 where index[a, b] is j or j - DEPTH, else 0
// Bindings: 0 index ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 elements of y, DEPTH, INNER elements behind the axis, and the divisors
// (lib/divide.glsl) of INNER and DEPTH
// Defines: LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#ifdef USE_TEXEL
layout(location = 64, binding = 0) uniform isamplerBuffer index;
#define INDEX(i) texelFetch(index, int(i)).x
#else
layout(std430, binding = 0) readonly buffer Index { int index[]; };
#define INDEX(i) index[i]
#endif
layout(std430, binding = 1) writeonly buffer Y { float y[]; };
layout(location = 0) uniform uint u[7];
#define COUNT u[0]
#define DEPTH u[1]
#define INNER u[2]
#define BY_INNER uvec2(u[3], u[4])
#define BY_DEPTH uvec2(u[5], u[6])

void main() {
    uint id = invocation();
    if (id >= COUNT)
        return;
    uint q = divide(id, BY_INNER), a = divide(q, BY_DEPTH);
    int j = int(q - a * DEPTH), k = INDEX(a * INNER + (id - q * INNER));
    y[id] = k == j || k == j - int(DEPTH) ? 1.0 : 0.0;
}
