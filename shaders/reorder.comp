// reorder.comp: y = x in another layout, bit by bit. Both sides are images n,
// channels c, pixels s; y is written in the order of its memory.
// Math: y[n, j, k] = x[n*XN + j*XJ + k*XK] for k < VALID, 0 in the padding beyond
// Bindings: 0 x ro (texels if USE_TEXEL), 1 y wo, 32-bit words (std430)
// Uniforms: 0 the sizes below
// Defines: WIDTH 4 or 1 words an invocation along k; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#ifdef USE_TEXEL
layout(location = 64, binding = 0) uniform usamplerBuffer x;
#define WORD(i) texelFetch(x, int(i)).x
#else
layout(std430, binding = 0) readonly buffer X { uint x[]; };
#define WORD(i) x[i]
#endif
#if WIDTH == 4
layout(std430, binding = 1) writeonly buffer Y { uvec4 y[]; };
#else
layout(std430, binding = 1) writeonly buffer Y { uint y[]; };
#endif
layout(location = 0) uniform uint u[11];
#define COUNT u[0]              // invocations
#define INNER u[1]              // of them along k
#define MID u[2]                // size of j
#define BY_INNER uvec2(u[3], u[4])
#define BY_MID uvec2(u[5], u[6])
#define VALID u[7]
#define XN u[8]
#define XJ u[9]
#define XK u[10]

void main() {
    uint i = invocation();
    if (i >= COUNT)
        return;
    uint q = divide(i, BY_INNER), k = (i - q * INNER) * uint(WIDTH);
    uint n = divide(q, BY_MID), j = q - n * MID;
    uint at = n * XN + j * XJ;
#if WIDTH == 4
    uvec4 v = uvec4(0);
    for (int l = 0; l < 4; l++)
        if (k + uint(l) < VALID)
            v[l] = WORD(at + (k + uint(l)) * XK);
    y[i] = v;
#else
    y[i] = k < VALID ? WORD(at + k * XK) : 0u;
#endif
}
