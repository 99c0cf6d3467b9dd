// topk.comp: places of the first K elements of each slice, by counting those that come
// before an element: M M steps for M elements.
// Math: r = the number of j with x[j] before x[i]; where r < K, values[r] = x[i] and
// indices[r] = i. Before means larger, or smaller, or an equal one with a smaller index.
// Bindings: 0 x ro (texels if USE_TEXEL), 3 keys and indices by slice ro, 1 values,
// 2 indices wo (std430)
// Uniforms: 0 the sizes below
// Defines: CHOSEN the elements are those of binding 3, else all; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/order.glsl"
#include "lib/source.glsl"
SOURCE1(0, 64, X, x);
#ifdef CHOSEN
layout(std430, binding = 3) readonly buffer C { uvec2 chosen[]; };
#endif
layout(std430, binding = 1) writeonly buffer V { uint values[]; };
layout(std430, binding = 2) writeonly buffer I { int indices[]; };
layout(location = 0) uniform uint u[10];
#define COUNT u[0]
#define N u[1]     // elements of a slice
#define K u[2]
#define M u[3]     // elements of a slice that are compared
#define INNER u[4] // distance of the elements of a slice
#define BY_INNER uvec2(u[5], u[6]) // lib/divide.glsl
#define BY_M uvec2(u[7], u[8])
#define FLIP u[9]  // of lib/order.glsl

void main() {
    uint id = invocation();
    if (id >= COUNT)
        return;
#ifdef CHOSEN
    uint slice = divide(id, BY_M), outer = divide(slice, BY_INNER), lane = slice - outer * INNER;
    uvec2 me = chosen[id];
#define OTHER(j) chosen[slice * M + (j)]
#else
    uint q = divide(id, BY_INNER), lane = id - q * INNER, outer = divide(q, BY_M);
#define OTHER(j) uvec2(order_key(FETCH1(x, int((outer * N + (j)) * INNER + lane)), FLIP), j)
    uvec2 me = OTHER(q - outer * M);
#endif
    uint rank = 0u;
    for (uint j = 0u; j < M; j++) {
        uvec2 other = OTHER(j);
        if (other.x < me.x || other.x == me.x && other.y < me.y)
            rank++;
    }
    if (rank < K) {
        uint at = (outer * K + rank) * INNER + lane;
        values[at] = floatBitsToUint(FETCH1(x, int((outer * N + me.y) * INNER + lane)));
        indices[at] = int(me.y);
    }
}
