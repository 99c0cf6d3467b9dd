// dense.comp: y = epilogue(x w^T), rows of x times packed weights.
// Math: v[i,o] = sum_k x[i,k] w[o,k], in blocks of 256 terms. PARTIAL computes one
// block of each sum, so that few rows still keep many invocations busy; FINISH adds
// the blocks up in the same order, so that the result is the same
// Bindings: 0 x ro, 1 w [blocks][k4][block] ro (texels if USE_TEXEL), 2 y wo, 3 sums
// of blocks of terms by row and output (std430); lib/epilogue.glsl from slot 4
// Uniforms: 0 the sizes below
// Defines: ROWS rows an invocation; X4 the length of a row of x is a multiple of 4,
// so that vec4s are read; PARTIAL or FINISH; LOCAL, USE_TEXEL, lib/epilogue.glsl
// Workgroup: LOCAL x1x1, ROWS x 8 elements of y an invocation, outputs fastest
// Error: sums of at most 256 products, then of those
#include "lib/invocation.glsl"
#include "lib/source.glsl"
layout(location = 0) uniform int u[8];
#define COUNT u[0]
#define ROW_COUNT u[1]
#define TERMS u[2]
#define OUTPUTS u[3]
#define EIGHTS u[4]  // groups of 8 outputs
#define TERMS4 u[5]  // terms of the packed weights: a multiple of 4
#define BLOCK8 u[6]  // groups of 8 outputs in a block of the packed weights
#define SUMS u[7]    // blocks of 256 terms
#ifndef FINISH
#ifdef X4
SOURCE4(0, 64, X, x);
#else
SOURCE1(0, 64, X, x);
#endif
SOURCE4(1, 65, W, w);
#endif
#ifdef PARTIAL
layout(std430, binding = 3) writeonly buffer P { vec4 part[]; };
#else
#define EPI_CHANNELS OUTPUTS
#include "lib/epilogue.glsl"
#ifdef EPI_WIDE
layout(std430, binding = 2) writeonly buffer Y { vec4 y[]; };
#else
layout(std430, binding = 2) writeonly buffer Y { float y[]; };
#endif
#ifdef FINISH
layout(std430, binding = 3) readonly buffer P { vec4 part[]; };
#endif

void store(int i, int o, vec4 v) {
    if (o >= OUTPUTS)
        return;
    int at = i * OUTPUTS + o;
    v = epilogue(v, o, at);
#ifdef EPI_WIDE
    y[at / 4] = v;
#else
    for (int l = 0; l < 4; l++)
        if (o + l < OUTPUTS)
            y[at + l] = v[l];
#endif
}
#endif

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int q = int(id) / EIGHTS, g = int(id) - q * EIGHTS;
#ifdef FINISH
    vec4 s0 = vec4(0), s1 = vec4(0);
    for (int b = 0; b < SUMS; b++) {
        int at = 2 * ((b * ROW_COUNT + q) * EIGHTS + g);
        s0 += part[at];
        s1 += part[at + 1];
    }
    store(q, 8 * g, s0);
    store(q, 8 * g + 4, s1);
#else
    int from = 0, to = TERMS;
#ifdef PARTIAL
    int block = q % SUMS;
    q /= SUMS;
    from = 256 * block;
    to = min(from + 256, TERMS);
#endif
    int i = q * ROWS, row[ROWS];
    vec4 s0[ROWS], s1[ROWS];
#unroll r ROWS
    row[r] = min(i + r, ROW_COUNT - 1) * TERMS; // beyond the last row, that one
    s0[r] = vec4(0);
    s1[r] = vec4(0);
#endunroll
    int step = 2 * BLOCK8, tile = g / BLOCK8;
    int start = tile * TERMS4 * step + 2 * (g - tile * BLOCK8);
    for (int first = from; first < to; first += 256) {
        int last = min(first + 256, to);
        vec4 p0[ROWS], p1[ROWS];
#unroll r ROWS
        p0[r] = vec4(0);
        p1[r] = vec4(0);
#endunroll
        int at = start + first * step;
#ifdef X4
        for (int k = first; k < last; k += 4) {
            vec4 a0 = FETCH4(w, at), a1 = FETCH4(w, at + 1);
            vec4 b0 = FETCH4(w, at + step), b1 = FETCH4(w, at + step + 1);
            vec4 c0 = FETCH4(w, at + 2 * step), c1 = FETCH4(w, at + 2 * step + 1);
            vec4 d0 = FETCH4(w, at + 3 * step), d1 = FETCH4(w, at + 3 * step + 1), v;
#unroll r ROWS
            v = FETCH4(x, (row[r] + k) / 4);
            p0[r] = fma(vec4(v.x), a0, p0[r]);
            p1[r] = fma(vec4(v.x), a1, p1[r]);
            p0[r] = fma(vec4(v.y), b0, p0[r]);
            p1[r] = fma(vec4(v.y), b1, p1[r]);
            p0[r] = fma(vec4(v.z), c0, p0[r]);
            p1[r] = fma(vec4(v.z), c1, p1[r]);
            p0[r] = fma(vec4(v.w), d0, p0[r]);
            p1[r] = fma(vec4(v.w), d1, p1[r]);
#endunroll
            at += 4 * step;
        }
#else
        for (int k = first; k < last; k++) {
            vec4 a0 = FETCH4(w, at), a1 = FETCH4(w, at + 1);
            float v;
#unroll r ROWS
            v = FETCH1(x, row[r] + k);
            p0[r] = fma(vec4(v), a0, p0[r]);
            p1[r] = fma(vec4(v), a1, p1[r]);
#endunroll
            at += step;
        }
#endif
#unroll r ROWS
        s0[r] += p0[r];
        s1[r] += p1[r];
#endunroll
    }
#unroll r ROWS
    if (i + r < ROW_COUNT) {
#ifdef PARTIAL
        int to = 2 * ((block * ROW_COUNT + i + r) * EIGHTS + g);
        part[to] = s0[r];
        part[to + 1] = s1[r];
#else
        store(i + r, 8 * g, s0[r]);
        store(i + r, 8 * g + 4, s1[r]);
#endif
    }
#endunroll
#endif
}
