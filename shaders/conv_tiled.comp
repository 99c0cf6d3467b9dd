// conv_tiled.comp: grouped convolution as an implicit GEMM with tiles of both
// operands in shared memory; made for GPUs.
// Math: y[n,o,p] = epilogue(sum over k of w[o,k] x[patch(k,j)]) with k = (tap, c) and
// j = (n, pixel): the patch matrix is addressed, never stored
// Bindings: storage 0 x channels-last/4 ro, 1 w packed ro (backend/gl/conv_format.go),
// 2 y channels-last/4 wo, then the operands of lib/epilogue.glsl (std430)
// Uniforms: 0 the sizes below; 40 of lib/epilogue.glsl
// Defines: TILE_M output channels and TILE_N pixels of a workgroup, multiples of 32;
// TILE_K terms in shared memory, 16; LOCAL = TILE_M/8 * TILE_N/8; LOADS_X and LOADS_W
// vec4s of x and w that an invocation loads for them; CUT tiles of terms after which
// a sum is put away (absent: never); SCATTERED: groups are no whole vec4s, so that x
// and y are floats
// Workgroup: LOCAL x1x1, 8 channels by 8 pixels an invocation; shared
// TILE_K * (4 (TILE_M + 4) + 4 (TILE_N + 2)) bytes
// Error: check's bound of a sum of C*taps terms; with CUT, of sums of at most
// CUT*TILE_K terms and then of those
#define TX (TILE_M / 8)
#define K4_TILE (TILE_K / 4)
layout(local_size_x = LOCAL) in;
layout(location = 0) uniform int u[32];
#define TILES u[0]       // along the pixels
#define ROWS u[1]        // along the channels of a group
#define X_PIXEL u[2]     // elements of a pixel of x: vec4s, or floats if SCATTERED
#define Y_PIXEL u[3]     // the same of y
#define X_GROUP u[4]     // elements of a group in a pixel of x
#define Y_GROUP u[5]     // the same of y
#define C4 u[6]          // vec4s of channels of a group of x, the last may be partial
#define K4 u[7]          // the same of y
#define W_BLOCK u[8]     // vec4s along the channels of a block of w
#define W_GROUP u[9]     // blocks of w in a group
#define TAPS u[10]
#define IN_GROUP u[11]   // channels of a group of x
#define OUT_GROUP u[12]  // the same of y
#define EPI_CHANNELS u[13] // channels of y
#define PIXELS u[14]     // of y, all images
#define SIZE(d) u[15 + d]
#define OUT(d) u[18 + d]
#define KERNEL_H u[21]
#define KERNEL_W u[22]
#define STRIDE(d) u[23 + d]
#define DILATION(d) u[26 + d]
#define BEGIN(d) u[29 + d]
#ifdef SCATTERED
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 2) writeonly buffer Y { float y[]; };
#else
layout(std430, binding = 0) readonly buffer X { vec4 x[]; };
layout(std430, binding = 2) writeonly buffer Y { vec4 y[]; };
#endif
layout(std430, binding = 1) readonly buffer W { vec4 w[]; };
#include "lib/epilogue.glsl"

#define LDA (TILE_M / 4 + 1)
#define LDB (TILE_N + 2)
shared vec4 tile_w[TILE_K * LDA];
shared float tile_x[TILE_K * LDB];

#ifdef SCATTERED
// Four channels from channel 4c of a group, at element at of x.
vec4 fetch(int at, int c) {
    vec4 v = vec4(0);
    for (int l = 0; l < 4; l++)
        if (4 * c + l < IN_GROUP)
            v[l] = x[at + 4 * c + l];
    return v;
}
#else
#define fetch(at, c) x[at + (c)]
#endif

// Results by name, so that no driver makes an array in memory of them.
#define SUM(i, h) sum_##i##_##h
#define TOTAL(i, h) total_##i##_##h
#ifdef CUT
#define RESULT TOTAL
#else
#define RESULT SUM
#endif

// Finishes and stores vec4 m of the channels of a group at a pixel.
void store(int pixel, int group, int m, vec4 v) {
#ifdef SCATTERED
    int o = group * Y_GROUP + 4 * m, e = pixel * Y_PIXEL + o;
    v = epilogue(v, o, e);
    for (int l = 0; l < 4; l++)
        if (4 * m + l < OUT_GROUP)
            y[e + l] = v[l];
    // The padded lanes, by who has the last channel.
    if (m == K4 - 1 && (group + 1) * OUT_GROUP == EPI_CHANNELS)
        for (int p = EPI_CHANNELS; p < Y_PIXEL; p++)
            y[pixel * Y_PIXEL + p] = 0.0;
#else
    int f = group * Y_GROUP + m, e = pixel * Y_PIXEL + f;
    y[e] = epilogue(v, 4 * f, 4 * e);
#endif
}

void main() {
    int t = int(gl_LocalInvocationIndex);
    int tile = int(gl_WorkGroupID.z * gl_NumWorkGroups.x + gl_WorkGroupID.x);
    int group = int(gl_WorkGroupID.y) / ROWS;
    int m0 = (int(gl_WorkGroupID.y) - group * ROWS) * (TILE_M / 4); // in vec4s of channels
    if (tile >= TILES)
        return; // the whole workgroup
    int n0 = tile * TILE_N;

    // The pixels of which this invocation loads x: where their windows begin.
    int q = t % K4_TILE;
    ivec3 from[LOADS_X];
    int image[LOADS_X];
    bool real[LOADS_X];
#unroll i LOADS_X
    {
        int j = n0 + t / K4_TILE + i * (LOCAL / K4_TILE);
        real[i] = j < PIXELS;
        int line = j / OUT(2), ow = j - line * OUT(2);
        int plane = line / OUT(1), oh = line - plane * OUT(1);
        int n = plane / OUT(0), od = plane - n * OUT(0);
        from[i] = ivec3(od * STRIDE(0) - BEGIN(0), oh * STRIDE(1) - BEGIN(1), ow * STRIDE(2) - BEGIN(2));
        image[i] = n * SIZE(0);
    }
#endunroll

    int tx = t % TX, ty = t / TX;
#unroll i 8
#unroll h 2
    vec4 SUM(i, h) = vec4(0);
#ifdef CUT
    vec4 TOTAL(i, h) = vec4(0);
#endif
#endunroll
#endunroll
#ifdef CUT
    int parts = 0;
#endif
    int steps = TAPS * C4; // vec4s of terms
    // A tile is read from memory while the one before it is multiplied.
    vec4 vx[LOADS_X], vw[LOADS_W];
    for (int next = 0;; next += K4_TILE) {
        if (next < steps) {
            int k4 = next + q;
            int tap = k4 / C4, c = k4 - tap * C4;
            int th = tap / KERNEL_W, tw = tap - th * KERNEL_W;
            int td = th / KERNEL_H;
            th -= td * KERNEL_H;
            ivec3 shift = ivec3(td * DILATION(0), th * DILATION(1), tw * DILATION(2));
#unroll i LOADS_X
            {
                ivec3 p = from[i] + shift;
                vx[i] = vec4(0);
                if (real[i] && k4 < steps && all(greaterThanEqual(p, ivec3(0))) && all(lessThan(p, ivec3(SIZE(0), SIZE(1), SIZE(2)))))
                    vx[i] = fetch((((image[i] + p.x) * SIZE(1) + p.y) * SIZE(2) + p.z) * X_PIXEL + group * X_GROUP, c);
            }
#endunroll
#unroll i LOADS_W
            {
                int e = t + i * LOCAL;
                int k = e / (TILE_M / 4), m = m0 + e - k * (TILE_M / 4);
                k += 4 * next;
                int block = m / W_BLOCK;
                vw[i] = vec4(0);
                if (k < 4 * steps && block < W_GROUP)
                    vw[i] = w[((group * W_GROUP + block) * 4 * steps + k) * W_BLOCK + m - block * W_BLOCK];
            }
#endunroll
        }
        if (next > 0) {
            for (int k = 0; k < TILE_K; k++) {
                vec4 a0 = tile_w[k * LDA + tx], a1 = tile_w[k * LDA + tx + TX];
#unroll i 8
                {
                    vec4 b = vec4(tile_x[k * LDB + ty * 8 + i]);
                    SUM(i, 0) = fma(b, a0, SUM(i, 0));
                    SUM(i, 1) = fma(b, a1, SUM(i, 1));
                }
#endunroll
            }
#ifdef CUT
            if (++parts == CUT || next >= steps) {
                parts = 0;
#unroll i 8
#unroll h 2
                TOTAL(i, h) += SUM(i, h);
                SUM(i, h) = vec4(0);
#endunroll
#endunroll
            }
#endif
        }
        if (next >= steps)
            break; // all invocations together
        barrier(); // the last tile has been used
#unroll i LOADS_X
        {
            int j = t / K4_TILE + i * (LOCAL / K4_TILE);
            int at = 4 * q * LDB + j;
            tile_x[at] = vx[i].x;
            tile_x[at + LDB] = vx[i].y;
            tile_x[at + 2 * LDB] = vx[i].z;
            tile_x[at + 3 * LDB] = vx[i].w;
        }
#endunroll
#unroll i LOADS_W
        {
            int e = t + i * LOCAL;
            int k = e / (TILE_M / 4);
            tile_w[k * LDA + e - k * (TILE_M / 4)] = vw[i];
        }
#endunroll
        barrier(); // the tile is complete
    }

#unroll i 8
#unroll h 2
    {
        int pixel = n0 + ty * 8 + i, m = m0 + tx + h * TX;
        if (pixel < PIXELS && m < K4)
            store(pixel, group, m, RESULT(i, h));
    }
#endunroll
#endunroll
}
