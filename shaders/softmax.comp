// softmax.comp: softmax or its logarithm along one axis of any layout.
// Math: m = max x; y = e^(x-m) / sum e^(x-m), or with LOG y = x - m - ln sum e^(x-m).
// A slice of n elements is cut into blocks. PARTIAL finds for each block its
// maximum p and sum s of e^(x-p); FINISH takes m = max p and the sum of s e^(p-m),
// and writes one block. Without either, a slice is one block.
// NaN, and a maximum that is infinite, make the whole slice NaN.
// Bindings: 0 x ro, 1 y wo, 2 (p, s) by slice and block (std430)
// Uniforms: 0 the sizes below
// Defines: LOG, PARTIAL or FINISH, MASK slices in padded lanes get zeros, LOCAL
// Workgroup: LOCAL x1x1, one block of one slice an invocation
// Error: sums of at most 256 terms, then of those; (|x-m| + 4 sqrt n + 8) u
#include "lib/invocation.glsl"
#include "lib/exp.glsl"
#include "lib/log.glsl"
#include "lib/nan.glsl"
#include "lib/special.glsl"
layout(std430, binding = 0) readonly buffer X { float x[]; };
#ifndef PARTIAL
layout(std430, binding = 1) writeonly buffer Y { float y[]; };
#endif
#ifdef PARTIAL
layout(std430, binding = 2) writeonly buffer P { vec2 part[]; };
#elif defined FINISH
layout(std430, binding = 2) readonly buffer P { vec2 part[]; };
#endif
layout(location = 0) uniform int u[8];
#define COUNT u[0]    // invocations
#define LENGTH u[1]   // elements of a slice
#define EXTENT u[2]   // the same with padding: zeros are written there
#define INNER u[3]    // distance of neighbours in a slice
#define BLOCK u[4]    // elements of a block
#define BLOCKS u[5]   // blocks of a slice
#define CHANNELS u[6] // with MASK: channels
#define LANES u[7]    // with MASK: the same with padding

float larger(float m, float v) { return v > m || nan_is(v) ? v : m; }

// e^(v-m) with 0 for v = -Inf, also where m is -Inf.
float above(float v, float m) { return v == MINUS_INF || v - m < -103.98 ? 0.0 : exp_e(v - m); }

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int slice = int(id) / BLOCKS, block = int(id) - slice * BLOCKS;
    int outer = slice / INNER;
    int start = outer * EXTENT * INNER + (slice - outer * INNER);
    int first = block * BLOCK, last = min(first + BLOCK, LENGTH);
#ifdef MASK
    if (slice % LANES >= CHANNELS) {
#ifndef PARTIAL
        for (int j = first; j < last; j++)
            y[start + j * INNER] = 0.0;
#endif
        return;
    }
#endif
    float m = MINUS_INF, sum = 0.0;
#ifdef FINISH
    for (int b = 0; b < BLOCKS; b++)
        m = larger(m, part[slice * BLOCKS + b].x);
    for (int from = 0; from < BLOCKS; from += 256) {
        float s = 0.0;
        for (int b = from; b < min(from + 256, BLOCKS); b++) {
            vec2 p = part[slice * BLOCKS + b];
            s = fma(p.y, above(p.x, m), s);
        }
        sum += s;
    }
#else
    for (int j = first; j < last; j++)
        m = larger(m, x[start + j * INNER]);
    for (int from = first; from < last; from += 256) {
        float s = 0.0;
        for (int j = from; j < min(from + 256, last); j++)
            s += above(x[start + j * INNER], m);
        sum += s;
    }
#endif
#ifdef PARTIAL
    part[id] = vec2(m, sum);
#else
    bool bad = (floatBitsToUint(m) & 0x7fffffffu) >= 0x7f800000u;
#ifdef LOG
    float ln = log_e(sum);
#endif
    for (int j = first; j < last; j++) {
        int at = start + j * INNER;
        float v = x[at];
#ifdef LOG
        v = v - m - ln;
#else
        v = above(v, m) / sum;
#endif
        y[at] = bad ? QUIET_NAN : v;
    }
    if (block == BLOCKS - 1)
        for (int j = LENGTH; j < EXTENT; j++)
            y[start + j * INNER] = 0.0;
#endif
}
