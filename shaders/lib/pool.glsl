// lib/pool.glsl: where the windows of a pooling lie. One invocation computes OUTS
// neighbours along w for four channels. Channels vary fastest over invocations.
// Uniforms: 0 the sizes below
// Defines: OUTS; KW SW DW kernel, stride and dilation along w where a row of windows
// is read into registers, SPAN columns wide (KW 0: it is not, and OUTS is 1); KH along h where all
// rows are unrolled, which a software driver gains from (KH 0: they are a loop); KD
// along d, 1 or 0; EDGE where windows may leave x
#include "lib/divide.glsl"
#include "lib/invocation.glsl"
#include "lib/source.glsl"

SOURCE4(0, 64, X, x);
layout(location = 0) uniform int u[39];
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
// Divisors (lib/divide.glsl), first C4, TILES, OUT(1) and OUT(0), then dilations.
#define DIVISOR(i) uvec2(u[25 + 2 * (i)], u[26 + 2 * (i)])

int pool_divide(int a, uvec2 by) { return int(divide(uint(a), by)); }

struct PoolTile {
    int c;       // vec4 of channels
    int n, d, h; // image and output row
    int w;       // first output of the tile
};

PoolTile pool_tile(int id) {
    PoolTile t;
    int q = pool_divide(id, DIVISOR(0));
    t.c = id - q * C4;
    int r = pool_divide(q, DIVISOR(1));
    t.w = (q - r * TILES) * OUTS;
    q = pool_divide(r, DIVISOR(2));
    t.h = r - q * OUT(1);
    t.n = pool_divide(q, DIVISOR(3));
    t.d = q - t.n * OUT(0);
    return t;
}

// The input that tap 0 of output p reads.
int pool_origin(int dim, int p) { return p * STRIDE(dim) - BEGIN(dim); }

// Taps first to last-1 of a window at origin lie inside x.
int pool_first(int dim, int origin) {
    return origin < 0 ? pool_divide(-origin - 1, DIVISOR(4 + dim)) + 1 : 0;
}

int pool_last(int dim, int origin) {
    int left = SIZE(dim) - origin;
    return left <= 0 ? 0 : min(KERNEL(dim), pool_divide(left - 1, DIVISOR(4 + dim)) + 1);
}

// Taps of output p inside the padded x.
int pool_padded(int dim, int p) {
    int left = SIZE(dim) + BEGIN(dim) + END(dim) - p * STRIDE(dim);
    return left <= 0 ? 0 : min(KERNEL(dim), pool_divide(left - 1, DIVISOR(4 + dim)) + 1);
}

// The lanes of vec4 c that are channels.
bvec4 pool_lanes(int c) { return lessThan(ivec4(0, 1, 2, 3) + 4 * c, ivec4(CHANNELS)); }

// A row of x that windows read.
struct PoolRow {
    int at;      // index in x of the column that tap 0 of output 0 reads
    int w;       // that column
    int inside;  // columns of the row in x; 0 for a row that is not
};

PoolRow pool_row(PoolTile t, int d, int h) {
    PoolRow r;
    r.w = pool_origin(2, t.w);
    r.at = (((t.n * SIZE(0) + d) * SIZE(1) + h) * SIZE(2) + r.w) * C4 + t.c;
    r.inside = h >= 0 && h < SIZE(1) ? SIZE(2) : 0;
    return r;
}

// Column j of a row; `outside` where it is not in x.
vec4 pool_column(PoolRow r, int j, vec4 outside) {
#ifdef EDGE
    bool inside = r.w + j >= 0 && r.w + j < r.inside;
    vec4 v = FETCH4(x, inside ? r.at + j * C4 : 0);
    return inside ? v : outside;
#else
    return FETCH4(x, r.at + j * C4);
#endif
}

// Index in y of output 0 of a tile; the others follow at distances of C4.
int pool_store(PoolTile t) { return (((t.n * OUT(0) + t.d) * OUT(1) + t.h) * OUT(2) + t.w) * C4 + t.c; }
