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
SOURCE4(0, X, x);
layout(std430, binding = 1) writeonly buffer Y { vec4 y[]; };
#ifdef INDICES
layout(std430, binding = 2) writeonly buffer I { ivec4 y_index[]; };
#endif

const vec4 lowest = vec4(uintBitsToFloat(0xff800000u));

// The largest so far, and the largest bits without sign: above those of Inf there
// was a NaN. Cheaper than to test each element.
vec4 best[OUTS];
uvec4 bits[OUTS];

void take(int o, vec4 v) {
    best[o] = mix(best[o], v, greaterThan(v, best[o]));
    bits[o] = max(bits[o], floatBitsToUint(v) & 0x7fffffffu);
}

#ifdef INDICES
ivec4 index[OUTS];

void take_at(int o, vec4 v, int at) {
    bvec4 nan = nan_is(v), more = greaterThan(v, best[o]), none = lessThan(index[o], ivec4(0));
    // All bits where v is taken. A NaN that was taken stays: nothing is greater.
    ivec4 m = -(ivec4(nan) | ivec4(more) | ivec4(none));
    best[o] = mix(best[o], v, notEqual(m, ivec4(0)));
    index[o] = (index[o] & ~m) | (at & m);
}
#endif

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    PoolTile t = pool_tile(int(id));
    for (int o = 0; o < OUTS; o++) {
        best[o] = lowest;
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
                v[j] = inside ? v[j] : lowest;
#else
                v[j] = FETCH4(x, (row + w0 + j) * C4 + t.c);
#endif
            }
            for (int tw = 0; tw < KW; tw++)
                for (int o = 0; o < OUTS; o++)
                    take(o, v[o * SW + tw * DW]);
#else
            for (int tw = 0; tw < KERNEL(2); tw++)
                for (int o = 0; o < OUTS; o++) {
                    int w = pool_origin(2, min(t.w + o, OUT(2) - 1)) + tw * DILATION(2);
                    if (w >= 0 && w < SIZE(2)) {
                        vec4 v = FETCH4(x, (row + w) * C4 + t.c);
#ifdef INDICES
                        take_at(o, v, (d * SIZE(1) + h) * SIZE(2) + w);
#else
                        take(o, v);
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
            vec4 r = mix(best[o], vec4(uintBitsToFloat(0x7fc00000u)), greaterThan(bits[o], uvec4(0x7f800000u)));
#endif
            y[pool_store(t, o)] = mix(vec4(0), r, lanes);
        }
}
