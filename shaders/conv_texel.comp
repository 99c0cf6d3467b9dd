// conv_texel.comp: grouped convolution from texel buffers, sums in registers; made
// for software renderers. An invocation computes PX neighbours along w for KV
// vec4s of channels.
// Math: y[n,o,p] = epilogue(sum over c, t of x[n, c, p*S + t*D - B] w[o,c,t])
// Bindings: texels 0 x channels-last/4, 1 w packed (backend/gl/conv_format.go), then
// the operands of lib/epilogue.glsl; storage 0 y channels-last/4 wo (std430)
// Uniforms: 0 the sizes below; 40 of lib/epilogue.glsl
// Defines: PX KV; LX LY invocations along channels and tiles of pixels; CH channels
// of a vec4 of x that are used (4, or less if x has fewer); KW, with SW and DW: with
// WINDOW they are kernel, stride and dilation along w, and the inputs that the PX
// windows cover in one row are read once; without, KW and SW are 1, DW is 0, and
// each tap is read on its own; INPUTS (PX-1)*SW + (KW-1)*DW + 1, read together; EDGE: windows may
// leave x along w; TAIL: the last tile of a row may be partial; BLOCK vec4s of channels after which a sum is
// put away (0: never); SCATTERED: groups are no whole vec4s, so that x and y are
// floats
// Workgroup: LOCAL = LX*LY x1x1; no shared memory
// Error: check's bound of a sum of C*taps terms; with BLOCK, of sums of at most
// 4*BLOCK*KW terms and then of those
layout(local_size_x = LOCAL) in; // software drivers make vectors of lanes along x only
layout(location = 0) uniform int u[33];
#define TILES u[0]       // tiles of PX pixels, in all
#define ROW_TILES u[1]   // in a row of y
#define X_PIXEL u[2]     // elements of a pixel of x: vec4s, or floats if SCATTERED
#define Y_PIXEL u[3]     // the same of y
#define X_GROUP u[4]     // elements of a group in a pixel of x
#define Y_GROUP u[5]     // the same of y
#ifndef C4
#define C4 u[6]          // vec4s of channels of a group of x, the last may be partial
#endif
#define K4 u[7]          // the same of y
#define K_STEPS u[8]     // workgroups along the channels of a group
#define W_GROUP u[10]    // blocks of w in a group
#define TAPS u[11]
#define IN_GROUP u[12]   // channels of a group of x
#define OUT_GROUP u[13]  // the same of y
#define EPI_CHANNELS u[14] // channels of y
#define SIZE(d) u[15 + d]
#define OUT(d) u[18 + d]
#define KERNEL(d) u[21 + d]
#define STRIDE(d) u[24 + d]
#define DILATION(d) u[27 + d]
#define BEGIN(d) u[30 + d]
layout(location = 64, binding = 0) uniform samplerBuffer x;
layout(location = 65, binding = 1) uniform samplerBuffer w;
#ifdef SCATTERED
layout(std430, binding = 0) writeonly buffer Y { float y[]; };
#else
layout(std430, binding = 0) writeonly buffer Y { vec4 y[]; };
#endif
#include "lib/epilogue.glsl"

#ifdef SCATTERED
// Four channels from channel 4c of a group, whose first is element at of x.
vec4 fetch(int at, int c) {
    vec4 v = vec4(0);
    for (int l = 0; l < 4; l++)
        if (4 * c + l < IN_GROUP)
            v[l] = texelFetch(x, at + 4 * c + l).x;
    return v;
}
#else
#define fetch(at, c) texelFetch(x, at + c)
#endif

#ifdef WINDOW
#define STEP 1
#else
#define STEP STRIDE(2)
#endif

// Variables by name, declared in the order of their use in the inner loop: with an
// array in their place, or in another order, llvmpipe runs a third slower.
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
    int line = tile / ROW_TILES, x0 = (tile - line * ROW_TILES) * PX;
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
    for (int td = 0; td < KERNEL(0); td++) {
        int id = od * STRIDE(0) - BEGIN(0) + td * DILATION(0);
        if (id < 0 || id >= SIZE(0))
            continue;
        for (int th = 0; th < KERNEL(1); th++) {
            int ih = oh * STRIDE(1) - BEGIN(1) + th * DILATION(1);
            if (ih < 0 || ih >= SIZE(1))
                continue;
            int row = ((n * SIZE(0) + id) * SIZE(1) + ih) * SIZE(2);
            int tap = (td * KERNEL(1) + th) * KERNEL(2);
#ifdef WINDOW
            {
                int iw0 = x0 * SW - BEGIN(2);
#else
            for (int tw = 0; tw < KERNEL(2); tw++, tap++) {
                int iw0 = x0 * STEP - BEGIN(2) + tw * DILATION(2);
#endif
                int first = (row + iw0) * X_PIXEL + group * X_GROUP;
                int at[INPUTS];
                bool inside[INPUTS];
#unroll j INPUTS
#ifdef EDGE
                inside[j] = iw0 + j * STEP >= 0 && iw0 + j * STEP < SIZE(2);
                at[j] = inside[j] ? first + j * STEP * X_PIXEL : 0;
#elif defined TAIL
                at[j] = first + min(j * STEP, SIZE(2) - 1 - iw0) * X_PIXEL; // those beyond are not stored
#else
                at[j] = first + j * STEP * X_PIXEL;
#endif
#endunroll
#if BLOCK > 0
                for (int c0 = 0; c0 < C4; c0 += BLOCK) {
                    for (int c = c0; c < min(c0 + BLOCK, C4); c++) {
#else
                {
                    for (int c = 0; c < C4; c++) {
#endif
                        int f = wbase + (tap * C4 + c) * 4 * W_BLOCK;
                        vec4 v[INPUTS];
#unroll j INPUTS
                        v[j] = fetch(at[j], c);
#ifdef EDGE
                        v[j] = inside[j] ? v[j] : vec4(0);
#endif
#endunroll
#unroll tw KW
#unroll ch CH
#unroll k KV
                        {
                            vec4 t = texelFetch(w, f + tw * C4 * 4 * W_BLOCK + ch * W_BLOCK + k);
#unroll i PX
                            SUM(i, k) = fma(vec4(v[i * SW + tw * DW][ch]), t, SUM(i, k));
#endunroll
                        }
#endunroll
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
    int pixel = line * OUT(2) + x0;
#unroll i PX
#ifdef TAIL
    if (x0 + i < OUT(2))
#endif
    {
#unroll k KV
#ifdef SCATTERED
        {
            int first = 4 * (kq + k), o = group * Y_GROUP + first, e = (pixel + i) * Y_PIXEL + o;
            vec4 r = epilogue(RESULT(i, k), o, e);
            for (int l = 0; l < 4; l++)
                if (first + l < OUT_GROUP)
                    y[e + l] = r[l];
        }
#else
        if (kq + k < K4) {
            int q = group * Y_GROUP + kq + k, e = (pixel + i) * Y_PIXEL + q;
            y[e] = epilogue(RESULT(i, k), 4 * q, 4 * e);
        }
#endif
#endunroll
    }
#endunroll
#ifdef SCATTERED
    // The padded lanes, once for each pixel.
    if (4 * kq < OUT_GROUP && 4 * (kq + KV) >= OUT_GROUP && (group + 1) * OUT_GROUP == EPI_CHANNELS)
        for (int i = 0; i < PX; i++)
            if (x0 + i < OUT(2))
                for (int o = EPI_CHANNELS; o < Y_PIXEL; o++)
                    y[(pixel + i) * Y_PIXEL + o] = 0.0;
#endif
}
