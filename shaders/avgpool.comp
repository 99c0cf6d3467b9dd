// avgpool.comp: the mean of each window.
// Math: y[n,p,c] = 1/k * sum over the taps t inside x of x[n, p*S + t*D - B, c]
// with k the number of these taps or, if COUNT_PAD, of those inside the padded x;
// 0 where k is 0
// Bindings: 0 x channels-last/4 ro, 1 y channels-last/4 wo (std430)
// Uniforms: lib/pool.glsl
// Defines: OUTS KW SW DW (lib/pool.glsl), EDGE windows may leave x along w,
// COUNT_PAD, LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, OUTS outputs an invocation
// Error: sums of at most 256 taps of a row, then of those, then of rows
#include "lib/pool.glsl"
#include "lib/source.glsl"
SOURCE4(0, 64, X, x);
layout(std430, binding = 1) writeonly buffer Y { vec4 y[]; };

int counted(int dim, int p) {
#ifdef COUNT_PAD
    return pool_padded(dim, p);
#else
    int o = pool_origin(dim, p);
    return max(pool_last(dim, o) - pool_first(dim, o), 0);
#endif
}

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    PoolTile t = pool_tile(int(id));
    vec4 total[OUTS];
    for (int o = 0; o < OUTS; o++)
        total[o] = vec4(0);
    int d0 = pool_origin(0, t.d), h0 = pool_origin(1, t.h);
    int dlast = pool_last(0, d0), hlast = pool_last(1, h0);
    for (int td = pool_first(0, d0); td < dlast; td++) {
        vec4 plane[OUTS];
        for (int o = 0; o < OUTS; o++)
            plane[o] = vec4(0);
        for (int th = pool_first(1, h0); th < hlast; th++) {
            int h = h0 + th * DILATION(1);
            int row = ((t.n * SIZE(0) + d0 + td * DILATION(0)) * SIZE(1) + h) * SIZE(2);
#if KW > 0
            int w0 = t.w * SW - BEGIN(2);
            vec4 v[(OUTS - 1) * SW + (KW - 1) * DW + 1];
            for (int j = 0; j < v.length(); j++) {
#ifdef EDGE
                int w = w0 + j;
                bool inside = w >= 0 && w < SIZE(2);
                v[j] = FETCH4(x, (row + (inside ? w : 0)) * C4 + t.c);
                v[j] = inside ? v[j] : vec4(0);
#else
                v[j] = FETCH4(x, (row + w0 + j) * C4 + t.c);
#endif
            }
            for (int o = 0; o < OUTS; o++) {
                vec4 s = v[o * SW];
                for (int tw = 1; tw < KW; tw++)
                    s += v[o * SW + tw * DW];
                plane[o] += s;
            }
#else
            for (int o = 0; o < OUTS; o++) {
                int w0 = pool_origin(2, min(t.w + o, OUT(2) - 1));
                int last = pool_last(2, w0);
                for (int first = pool_first(2, w0); first < last; first += 256) {
                    vec4 s = vec4(0);
                    for (int tw = first; tw < min(first + 256, last); tw++)
                        s += FETCH4(x, (row + w0 + tw * DILATION(2)) * C4 + t.c);
                    plane[o] += s;
                }
            }
#endif
        }
        for (int o = 0; o < OUTS; o++)
            total[o] += plane[o];
    }
    float rows = float(counted(0, t.d)) * float(counted(1, t.h));
    bvec4 lanes = pool_lanes(t.c);
    for (int o = 0; o < OUTS; o++)
        if (t.w + o < OUT(2)) {
            float k = rows * float(counted(2, t.w + o));
            y[pool_store(t, o)] = mix(vec4(0), total[o] / max(k, 1.0), lanes);
        }
}
