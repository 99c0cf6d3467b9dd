// avgpool.comp: the mean of each window.
// Math: y[n,p,c] = 1/k * sum over the taps t inside x of x[n, p*S + t*D - B, c]
// with k the number of these taps or, if COUNT_PAD, of those inside the padded x;
// 0 where k is 0
// Bindings: 0 x channels-last/4 ro, 1 y channels-last/4 wo (std430)
// Uniforms: lib/pool.glsl
// Defines: lib/pool.glsl; COUNT_PAD; INSIDE no window leaves x; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, OUTS outputs an invocation
// Error: sums of at most 256 taps of a row, then of those, then of rows
#include "lib/pool.glsl"
layout(std430, binding = 1) writeonly buffer Y { vec4 y[]; };

float counted(int dim, int p) {
#ifdef INSIDE
    return float(KERNEL(dim));
#elif defined COUNT_PAD
    return float(pool_padded(dim, p));
#else
    int o = pool_origin(dim, p);
    return float(max(pool_last(dim, o) - pool_first(dim, o), 0));
#endif
}

// Adds the windows' row h at depth d.
void add_row(PoolTile t, int d, int h, inout vec4 sum[OUTS]) {
    PoolRow row = pool_row(t, d, h);
    vec4 s;
#if KW > 0
    vec4 v[SPAN];
#unroll j SPAN
    v[j] = pool_column(row, j, vec4(0)); // unless nothing adds it
#endunroll
#unroll o OUTS
    s = vec4(0);
#unroll k KW
    s += v[o * SW + k * DW];
#endunroll
    sum[o] += s;
#endunroll
#else
    int last = pool_last(2, row.w);
    for (int first = pool_first(2, row.w); first < last; first += 256) {
        s = vec4(0);
        for (int k = first; k < min(first + 256, last); k++)
            s += FETCH4(x, row.at + k * DILATION(2) * C4);
        sum[0] += s;
    }
#endif
}

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    PoolTile t = pool_tile(int(id));
    vec4 total[OUTS], plane[OUTS];
#unroll o OUTS
    total[o] = vec4(0);
#endunroll
    int d = pool_origin(0, t.d), h = pool_origin(1, t.h);
#if KD != 1
    int dlast = pool_last(0, d), d0 = d;
    for (int td = pool_first(0, d0); td < dlast; td++) {
        d = d0 + td * DILATION(0);
#endif
#unroll o OUTS
        plane[o] = vec4(0);
#endunroll
#if KH > 0
#unroll r KH
        add_row(t, d, h + r * DILATION(1), plane);
#endunroll
#else
        int hlast = pool_last(1, h);
        for (int th = pool_first(1, h); th < hlast; th++)
            add_row(t, d, h + th * DILATION(1), plane);
#endif
#unroll o OUTS
        total[o] += plane[o];
#endunroll
#if KD != 1
    }
#endif
    float rows = counted(0, t.d) * counted(1, t.h);
    bvec4 lanes = pool_lanes(t.c);
    int at = pool_store(t);
#unroll o OUTS
    if (t.w + o < OUT(2))
        y[at + o * C4] = mix(vec4(0), total[o] / max(rows * counted(2, t.w + o), 1.0), lanes);
#endunroll
}
