// convtranspose.comp: grouped transposed convolution, sums in registers. An
// invocation computes, for KV vec4s of channels, PX outputs along w that lie a
// stride apart: they read the same taps, of neighbours in x.
// Math: y[n,o,p] = epilogue(sum over c, i, r with i*S + r*D - B = p of x[n,c,i] w[c,o,r])
// Bindings: 0 x channels-last/4, 1 w packed (backend/gl/convtranspose.go) (texels if
// USE_TEXEL), storage 2 y channels-last/4 wo, then the operands of lib/epilogue.glsl
// (std430)
// Uniforms: 0 the sizes below; 40 of lib/epilogue.glsl
// Defines: PX KV; LX LY invocations along channels and tiles of outputs; CH channels
// of a vec4 of x that are used (4, or less if x has fewer); BLOCK vec4s of channels
// after which a sum is put away (0: never); SCATTERED: groups are no whole vec4s, so
// that x and y are floats; USE_TEXEL
// Workgroup: LOCAL = LX*LY x1x1; no shared memory
// Error: check's bound of a sum of C*taps terms; with BLOCK, of sums of at most
// 4*BLOCK terms and then of those
layout(local_size_x = LOCAL) in;
layout(location = 0) uniform int u[39];
#define TILES u[0]       // tiles of PX outputs, in all
#define ROW_TILES u[1]   // of one class in a row of y
#define CLASSES u[2]     // of outputs along w: those with one remainder by the stride
#define X_PIXEL u[3]     // elements of a pixel of x: vec4s, or floats if SCATTERED
#define Y_PIXEL u[4]     // the same of y
#define X_GROUP u[5]     // elements of a group in a pixel of x
#define Y_GROUP u[6]     // the same of y
#define C4 u[7]          // vec4s of channels of a group of x, the last may be partial
#define K4 u[8]          // the same of y
#define K_STEPS u[9]     // workgroups along the channels of a group
#define W_GROUP u[10]    // blocks of w in a group
#define IN_GROUP u[11]   // channels of a group of x
#define OUT_GROUP u[12]  // the same of y
#define EPI_CHANNELS u[13] // channels of y
#define TAPS u[14]
#define SIZE(d) u[15 + d]
#define OUT(d) u[18 + d]
#define KERNEL(d) u[21 + d]
#define STRIDE(d) u[24 + d]
#define DILATION(d) u[27 + d]
#define BEGIN(d) u[30 + d]
#define STEP(d) u[33 + d]
#define SHIFT(d) u[36 + d]
#include "lib/source.glsl"
#include "lib/transposed.glsl"
SOURCE4(1, 65, W, w);
#ifdef SCATTERED
SOURCE1(0, 64, X, x);
layout(std430, binding = 2) writeonly buffer Y { float y[]; };

// Four channels from channel 4c of a group, whose first is element at of x.
vec4 fetch(int at, int c) {
    vec4 v = vec4(0);
    for (int l = 0; l < 4; l++)
        if (4 * c + l < IN_GROUP)
            v[l] = FETCH1(x, at + 4 * c + l);
    return v;
}
#else
SOURCE4(0, 64, X, x);
layout(std430, binding = 2) writeonly buffer Y { vec4 y[]; };
#define fetch(at, c) FETCH4(x, at + c)
#endif
#include "lib/epilogue.glsl"

// Variables by name: llvmpipe keeps them in registers, an array it does not.
#define SUM(i, k) sum_##i##_##k
#define TOTAL(i, k) total_##i##_##k
#if BLOCK > 0
#define RESULT TOTAL
#else
#define RESULT SUM
#endif

void main() {
    int group = int(gl_WorkGroupID.x) / K_STEPS;
    int lane = int(gl_LocalInvocationID.x);
    int kq = ((int(gl_WorkGroupID.x) - group * K_STEPS) * LX + lane % LX) * KV;
    int tile = int(gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y) * LY + lane / LX;
    if (tile >= TILES || kq >= K4)
        return;
    int q = tile / ROW_TILES, line = q / CLASSES;
    int x0 = q - line * CLASSES + (tile - q * ROW_TILES) * PX * STRIDE(2);
    if (x0 >= OUT(2))
        return;
    int image = line / OUT(1), oh = line - image * OUT(1);
    int n = image / OUT(0), od = image - n * OUT(0);
    int block = kq / W_BLOCK;
    int wbase = (group * W_GROUP + block) * TAPS * C4 * 4 * W_BLOCK + kq - block * W_BLOCK;
#unroll k KV
#unroll i PX
    vec4 SUM(i, k) = vec4(0);
#endunroll
#endunroll
#if BLOCK > 0
#unroll k KV
#unroll i PX
    vec4 TOTAL(i, k) = vec4(0);
#endunroll
#endunroll
#endif
    Taps h0 = taps_of(1, oh), w0 = taps_of(2, x0);
    for (Taps d = taps_of(0, od); d.tap < KERNEL(0); taps_next(0, d)) {
        if (d.at < 0 || d.at >= SIZE(0))
            continue;
        for (Taps h = h0; h.tap < KERNEL(1); taps_next(1, h)) {
            if (h.at < 0 || h.at >= SIZE(1))
                continue;
            int row = ((n * SIZE(0) + d.at) * SIZE(1) + h.at) * SIZE(2);
            for (Taps t = w0; t.tap < KERNEL(2); taps_next(2, t)) {
                int tap = (d.tap * KERNEL(1) + h.tap) * KERNEL(2) + t.tap;
                int first = (row + t.at) * X_PIXEL + group * X_GROUP;
                int at[PX];
                bool inside[PX];
#unroll j PX
                inside[j] = t.at + j >= 0 && t.at + j < SIZE(2);
                at[j] = inside[j] ? first + j * X_PIXEL : 0;
#endunroll
#if BLOCK > 0
                for (int c0 = 0; c0 < C4; c0 += BLOCK) {
                    for (int c = c0; c < min(c0 + BLOCK, C4); c++) {
#else
                {
                    for (int c = 0; c < C4; c++) {
#endif
                        int f = wbase + (tap * C4 + c) * 4 * W_BLOCK;
                        vec4 v[PX];
#unroll j PX
                        v[j] = fetch(at[j], c);
                        v[j] = inside[j] ? v[j] : vec4(0);
#endunroll
#unroll ch CH
#unroll k KV
                        {
                            vec4 s = FETCH4(w, f + ch * W_BLOCK + k);
#unroll i PX
                            SUM(i, k) = fma(vec4(v[i][ch]), s, SUM(i, k));
#endunroll
                        }
#endunroll
#endunroll
                    }
#if BLOCK > 0
#unroll k KV
#unroll i PX
                    TOTAL(i, k) += SUM(i, k);
                    SUM(i, k) = vec4(0);
#endunroll
#endunroll
#endif
                }
            }
        }
    }
#unroll i PX
    if (x0 + i * STRIDE(2) < OUT(2)) {
        int pixel = line * OUT(2) + x0 + i * STRIDE(2);
#unroll k KV
#ifdef SCATTERED
        {
            int first = 4 * (kq + k), o = group * Y_GROUP + first, e = pixel * Y_PIXEL + o;
            vec4 r = epilogue(RESULT(i, k), o, e);
            for (int l = 0; l < 4; l++)
                if (first + l < OUT_GROUP)
                    y[e + l] = r[l];
        }
#else
        if (kq + k < K4) {
            int o = group * Y_GROUP + kq + k, e = pixel * Y_PIXEL + o;
            y[e] = epilogue(RESULT(i, k), 4 * o, 4 * e);
        }
#endif
#endunroll
#ifdef SCATTERED
        // The padded lanes, once for each pixel.
        if (4 * kq < OUT_GROUP && 4 * (kq + KV) >= OUT_GROUP && (group + 1) * OUT_GROUP == EPI_CHANNELS)
            for (int o = EPI_CHANNELS; o < Y_PIXEL; o++)
                y[pixel * Y_PIXEL + o] = 0.0;
#endif
    }
#endunroll
}
