// lib/pool.glsl: where the windows of a pooling lie. One invocation computes OUTS
// neighbours along w for four channels. Channels vary fastest over invocations.
// Uniforms: 0 the sizes below
// Defines: OUTS; KW SW DW kernel, stride and dilation along w when the window is
// read into registers (KW 0: they are uniforms)
#include "lib/invocation.glsl"

layout(location = 0) uniform int u[25];
#define COUNT u[0]    // invocations
#define C4 u[1]       // vec4s of channels
#define CHANNELS u[2] // channels without padding
#define TILES u[3]    // groups of OUTS outputs along w
#define SIZE(d) u[4 + d]
#define OUT(d) u[7 + d]
#define KERNEL(d) u[10 + d]
#define STRIDE(d) u[13 + d]
#define DILATION(d) u[16 + d]
#define BEGIN(d) u[19 + d]
#define END(d) u[22 + d]

struct PoolTile {
    int c;       // vec4 of channels
    int n, d, h; // image and output row
    int w;       // first output of the tile
};

PoolTile pool_tile(int id) {
    PoolTile t;
    int q = id / C4;
    t.c = id - q * C4;
    int r = q / TILES;
    t.w = (q - r * TILES) * OUTS;
    q = r / OUT(1);
    t.h = r - q * OUT(1);
    t.n = q / OUT(0);
    t.d = q - t.n * OUT(0);
    return t;
}

// The input that tap 0 of output p reads.
int pool_origin(int dim, int p) { return p * STRIDE(dim) - BEGIN(dim); }

// Taps first to last-1 of a window at origin lie inside x.
int pool_first(int dim, int origin) { return origin < 0 ? (-origin - 1) / DILATION(dim) + 1 : 0; }

int pool_last(int dim, int origin) {
    int left = SIZE(dim) - origin;
    return left <= 0 ? 0 : min(KERNEL(dim), (left - 1) / DILATION(dim) + 1);
}

// Taps of output p inside the padded x.
int pool_padded(int dim, int p) {
    int left = SIZE(dim) + BEGIN(dim) + END(dim) - p * STRIDE(dim);
    return left <= 0 ? 0 : min(KERNEL(dim), (left - 1) / DILATION(dim) + 1);
}

// 1 in the lanes of vec4 c that are channels, 0 in the padding.
bvec4 pool_lanes(int c) { return lessThan(ivec4(0, 1, 2, 3) + 4 * c, ivec4(CHANNELS)); }

// Index of output o of a tile in y.
int pool_store(PoolTile t, int o) { return ((((t.n * OUT(0) + t.d) * OUT(1) + t.h) * OUT(2)) + t.w + o) * C4 + t.c; }
