// maxpool.comp: the largest element of each window; NaN propagates.
// Math: y[n,p,c] = max over the taps t inside x of x[n, p*S + t*D - B, c], -Inf if
// there is none; index: the first of equals, the last NaN, -1 if there is none
// Bindings: 0 x channels-last/4 ro, 1 y channels-last/4 wo, 2 indices wo (std430)
// Uniforms: lib/pool.glsl
// Defines: OUTS KW SW DW (lib/pool.glsl), EDGE windows may leave x along w,
// INDICES (needs KW 0 and EDGE), LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, OUTS outputs an invocation
#include "lib/pool.glsl"
#include "lib/source.glsl"
#include "lib/nan.glsl"
#include "lib/special.glsl"
SOURCE4(0, 64, X, x);
layout(std430, binding = 1) writeonly buffer Y { vec4 y[]; };
#ifdef INDICES
layout(std430, binding = 2) writeonly buffer I { ivec4 y_index[]; };
#endif

// Takes v into the largest so far and the largest bits without sign: above those of
// Inf there was a NaN. This is cheaper than a test of each element.
void take(inout vec4 best, inout uvec4 bits, vec4 v) {
    best = mix(best, v, greaterThan(v, best));
    bits = max(bits, floatBitsToUint(v) & 0x7fffffffu);
}

// Takes v and its position. A NaN that was taken stays but for another: nothing is
// greater.
void take_at(inout vec4 best, inout ivec4 index, vec4 v, int at) {
    ivec4 m = -(ivec4(nan_is(v)) | ivec4(greaterThan(v, best)) | ivec4(lessThan(index, ivec4(0))));
    best = mix(best, v, notEqual(m, ivec4(0)));
    index = (index & ~m) | (at & m);
}

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    PoolTile t = pool_tile(int(id));
    vec4 best[OUTS];
    uvec4 bits[OUTS];
#ifdef INDICES
    ivec4 index[OUTS];
#endif
    for (int o = 0; o < OUTS; o++) {
        best[o] = vec4(MINUS_INF);
        bits[o] = uvec4(0);
#ifdef INDICES
        index[o] = ivec4(-1);
#endif
    }
    int d0 = pool_origin(0, t.d), h0 = pool_origin(1, t.h);
    int dlast = pool_last(0, d0), hlast = pool_last(1, h0);
    for (int td = pool_first(0, d0); td < dlast; td++) {
        int d = d0 + td * DILATION(0);
        for (int th = pool_first(1, h0); th < hlast; th++) {
            int h = h0 + th * DILATION(1);
            int row = ((t.n * SIZE(0) + d) * SIZE(1) + h) * SIZE(2);
#if KW > 0
            int w0 = t.w * SW - BEGIN(2);
            vec4 v[(OUTS - 1) * SW + (KW - 1) * DW + 1];
            for (int j = 0; j < v.length(); j++) {
#ifdef EDGE
                int w = w0 + j;
                bool inside = w >= 0 && w < SIZE(2);
                v[j] = FETCH4(x, (row + (inside ? w : 0)) * C4 + t.c);
                v[j] = inside ? v[j] : vec4(MINUS_INF);
#else
                v[j] = FETCH4(x, (row + w0 + j) * C4 + t.c);
#endif
            }
            for (int tw = 0; tw < KW; tw++)
                for (int o = 0; o < OUTS; o++)
                    take(best[o], bits[o], v[o * SW + tw * DW]);
#else
            for (int tw = 0; tw < KERNEL(2); tw++)
                for (int o = 0; o < OUTS; o++) {
                    int w = pool_origin(2, min(t.w + o, OUT(2) - 1)) + tw * DILATION(2);
                    if (w >= 0 && w < SIZE(2)) {
                        vec4 v = FETCH4(x, (row + w) * C4 + t.c);
#ifdef INDICES
                        take_at(best[o], index[o], v, (d * SIZE(1) + h) * SIZE(2) + w);
#else
                        take(best[o], bits[o], v);
#endif
                    }
                }
#endif
        }
    }
    bvec4 lanes = pool_lanes(t.c);
    for (int o = 0; o < OUTS; o++)
        if (t.w + o < OUT(2)) {
#ifdef INDICES
            vec4 r = best[o];
            y_index[pool_store(t, o)] = index[o] & -ivec4(lanes);
#else
            vec4 r = mix(best[o], vec4(QUIET_NAN), greaterThan(bits[o], uvec4(0x7f800000u)));
#endif
            y[pool_store(t, o)] = mix(vec4(0), r, lanes);
        }
}
