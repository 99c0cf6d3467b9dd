// maxpool.comp: the largest element of each window; NaN propagates.
// Math: y[n,p,c] = max over the taps t inside x of x[n, p*S + t*D - B, c], -Inf if
// there is none; index: the first of equals, the last NaN, -1 if there is none
// Bindings: 0 x channels-last/4 ro, 1 y channels-last/4 wo, 2 indices wo (std430)
// Uniforms: lib/pool.glsl
// Defines: lib/pool.glsl; INDICES (with KW 0); LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, OUTS outputs an invocation
#include "lib/pool.glsl"
#include "lib/nan.glsl"
#include "lib/special.glsl"
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

// Takes the windows' row h at depth d.
void take_row(PoolTile t, int d, int h, inout vec4 best[OUTS], inout uvec4 bits[OUTS]) {
    PoolRow row = pool_row(t, d, h);
#if KW > 0
    vec4 v[SPAN];
#unroll j SPAN
    v[j] = pool_column(row, j, vec4(MINUS_INF)); // unless nothing takes it
#endunroll
#unroll k KW
#unroll o OUTS
    take(best[o], bits[o], v[o * SW + k * DW]);
#endunroll
#endunroll
#else
    int last = pool_last(2, row.w);
    for (int k = pool_first(2, row.w); k < last; k++)
        take(best[0], bits[0], FETCH4(x, row.at + k * DILATION(2) * C4));
#endif
}

#ifdef INDICES
void take_row_at(PoolTile t, int d, int h, inout vec4 best[OUTS], inout ivec4 index[OUTS]) {
    PoolRow row = pool_row(t, d, h);
    int plane = (d * SIZE(1) + h) * SIZE(2) + row.w, last = pool_last(2, row.w);
    for (int k = pool_first(2, row.w); k < last; k++) {
        int j = k * DILATION(2);
        take_at(best[0], index[0], FETCH4(x, row.at + j * C4), plane + j);
    }
}
#endif

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
#unroll o OUTS
    best[o] = vec4(MINUS_INF);
    bits[o] = uvec4(0);
#ifdef INDICES
    index[o] = ivec4(-1);
#endif
#endunroll
    int d = pool_origin(0, t.d), h = pool_origin(1, t.h);
#if KD != 1
    int dlast = pool_last(0, d), d0 = d;
    for (int td = pool_first(0, d0); td < dlast; td++) {
        d = d0 + td * DILATION(0);
#endif
#if KH > 0
#unroll r KH
        take_row(t, d, h + r * DILATION(1), best, bits);
#endunroll
#else
        int hlast = pool_last(1, h);
        for (int th = pool_first(1, h); th < hlast; th++) {
#ifdef INDICES
            take_row_at(t, d, h + th * DILATION(1), best, index);
#else
            take_row(t, d, h + th * DILATION(1), best, bits);
#endif
        }
#endif
#if KD != 1
    }
#endif
    bvec4 lanes = pool_lanes(t.c);
    int at = pool_store(t);
#unroll o OUTS
    if (t.w + o < OUT(2)) {
        vec4 v = mix(best[o], vec4(QUIET_NAN), greaterThan(bits[o], uvec4(0x7f800000u)));
        y[at + o * C4] = mix(vec4(0), v, lanes);
#ifdef INDICES
        y_index[at + o * C4] = index[o] & -ivec4(lanes);
#endif
    }
#endunroll
}
