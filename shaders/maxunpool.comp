// maxunpool.comp: elements put back to where max pooling found them. In between, y
// holds which element of x each place takes: 1 more than its number in its plane, 0
// for none. The largest number wins, in whatever order invocations run.
// Math: MARK: y[p, index[p, j]] = max over j of j + 1, after y was made 0;
// else: y[p, k] = x[p, y[p, k] - 1], 0 where y[p, k] is 0
// Bindings: 0 x or, if MARK, index ro (texels if USE_TEXEL), 1 y rw, 32-bit words
// (std430)
// Uniforms: 0 the sizes below
// Defines: MARK; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element of index or y an invocation
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#ifdef USE_TEXEL
layout(location = 64, binding = 0) uniform usamplerBuffer from;
#define WORD(i) texelFetch(from, int(i)).x
#else
layout(std430, binding = 0) readonly buffer From { uint from[]; };
#define WORD(i) from[i]
#endif
layout(std430, binding = 1) buffer Y { uint y[]; };
layout(location = 0) uniform uint u[5];
#define COUNT u[0]  // invocations
#define POOLED u[1] // elements of a plane of x
#define PLANE u[2]  // of y
#define BY uvec2(u[3], u[4]) // lib/divide.glsl: POOLED if MARK, else PLANE

void main() {
    uint id = invocation();
    if (id >= COUNT)
        return;
    uint p = divide(id, BY);
#ifdef MARK
    uint k = WORD(id);
    if (k < PLANE)
        atomicMax(y[p * PLANE + k], id - p * POOLED + 1u);
#else
    uint j = y[id];
    y[id] = j > 0u ? WORD(p * POOLED + j - 1u) : 0u;
#endif
}
