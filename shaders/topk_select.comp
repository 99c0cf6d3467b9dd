// topk_select.comp: which elements of a slice are its first K, in no order.
// Math: the K-th of the pairs (key, index) is found digit by digit, of 8 bits, the
// highest first: a histogram of the pairs with the digits found so far tells the next,
// until all pairs with those digits are among the K. Pairs up to it are chosen.
// Bindings: 0 x ro (texels if USE_TEXEL), 1 keys and indices by slice wo (std430)
// Uniforms: 0 the sizes below
// Defines: LOCAL 256, USE_TEXEL
// Workgroup: LOCAL x1x1, a slice; shared 4 (LOCAL + 5) bytes. The chosen come in an
// order that may differ from run to run: topk.comp, which reads them, does not mind.
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/order.glsl"
#include "lib/source.glsl"
SOURCE1(0, 64, X, x);
layout(std430, binding = 1) writeonly buffer C { uvec2 chosen[]; };
layout(location = 0) uniform uint u[7];
#define SLICES u[0]
#define N u[1]
#define K u[2]
#define INNER u[3]
#define BY_INNER uvec2(u[4], u[5]) // lib/divide.glsl
#define FLIP u[6]

shared uint counts[LOCAL];
shared uint digit, left, known, slots; // left: how many of those with the known digits are wanted
shared bool done;

// Digit d of a pair: the first four are those of the key.
uint digit_of(uvec2 pair, uint d) { return (d < 4u ? pair.x : pair.y) >> (24u - 8u * (d & 3u)) & 0xffu; }

// Are the first d digits of a pair those of b? And are they not above?
bool begins(uvec2 a, uvec2 b, uint d) {
    if (d <= 4u)
        return d == 0u || (a.x ^ b.x) >> (32u - 8u * d) == 0u;
    return a.x == b.x && (a.y ^ b.y) >> (64u - 8u * d) == 0u;
}

bool up_to(uvec2 a, uvec2 b, uint d) { return begins(a, b, d) || a.x < b.x || a.x == b.x && a.y < b.y; }

void main() {
    uint thread = gl_LocalInvocationIndex, slice = invocation() / uint(LOCAL);
    uint outer = divide(slice, BY_INNER), lane = slice - outer * INNER;
    uint n = slice < SLICES ? N : 0u, base = outer * N * INNER + lane;
#define PAIR(j) uvec2(order_key(FETCH1(x, int(base + (j) * INNER)), FLIP), j)
    if (thread == 0u) {
        left = K;
        slots = 0u;
        done = false;
    }
    uvec2 last = uvec2(0u); // the known digits, in their places
    for (uint d = 0u; d < 8u; d++) {
        counts[thread] = 0u;
        memoryBarrierShared();
        barrier();
        bool more = !done;
        for (uint j = thread; j < n && more; j += uint(LOCAL)) {
            uvec2 pair = PAIR(j);
            if (begins(pair, last, d))
                atomicAdd(counts[digit_of(pair, d)], 1u);
        }
        memoryBarrierShared();
        barrier();
        if (thread == 0u && more) {
            uint b = 0u;
            for (; b < 255u && counts[b] < left; b++)
                left -= counts[b];
            digit = b;
            known = d + 1u;
            done = counts[b] == left;
        }
        memoryBarrierShared();
        barrier();
        if (more) {
            if (d < 4u)
                last.x |= digit << (24u - 8u * d);
            else
                last.y |= digit << (56u - 8u * d);
        }
    }
    for (uint j = thread; j < n; j += uint(LOCAL)) {
        uvec2 pair = PAIR(j);
        if (up_to(pair, last, known))
            chosen[slice * K + atomicAdd(slots, 1u)] = pair;
    }
}
