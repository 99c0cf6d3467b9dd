// globalpool.comp: one level of the tree that reduces the pixels of a channel: each
// invocation takes a block of BLOCK neighbours. Levels follow until one is left.
// Math: y[n,b,c] = sum or max over j < BLOCK of x[n, b*BLOCK + j, c]; a sum is
// divided by `divisor`, which is 1 but for the last level; NaN propagates
// Bindings: 0 x [N,items,C4] ro, 1 y [N,blocks,C4] wo (std430)
// Uniforms: 0 invocations, vec4s of channels, items and blocks an image; 4 divisor
// Defines: BLOCK (at most 256), MEAN, LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one block of four channels an invocation
#include "lib/invocation.glsl"
#include "lib/source.glsl"
#include "lib/special.glsl"
SOURCE4(0, 64, X, x);
layout(std430, binding = 1) writeonly buffer Y { vec4 y[]; };
layout(location = 0) uniform int u[4];
#define COUNT u[0]
#define C4 u[1]
#define ITEMS u[2]
#define BLOCKS u[3]
layout(location = 4) uniform float divisor;

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int i = int(id), q = i / C4, c = i - q * C4;
    int n = q / BLOCKS, b = q - n * BLOCKS;
    int first = b * BLOCK, last = min(first + BLOCK, ITEMS);
    int at = (n * ITEMS + first) * C4 + c;
#ifdef MEAN
    vec4 sum = vec4(0);
    for (int j = first; j < last; j++, at += C4)
        sum += FETCH4(x, at);
    y[i] = sum / divisor;
#else
    vec4 best = vec4(MINUS_INF);
    uvec4 bits = uvec4(0); // without sign; above those of Inf there was a NaN
    for (int j = first; j < last; j++, at += C4) {
        vec4 v = FETCH4(x, at);
        best = mix(best, v, greaterThan(v, best));
        bits = max(bits, floatBitsToUint(v) & 0x7fffffffu);
    }
    y[i] = mix(best, vec4(QUIET_NAN), greaterThan(bits, uvec4(0x7f800000u)));
#endif
}
