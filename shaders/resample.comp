// resample.comp: a weighted sum of elements along an axis for every element of y.
// Math: y[a, o, b] = sum_t weight[o, t] * x[a, index[o, t], b]; a term of weight 0 or
// of an index outside x is not read
// Bindings: 0 x ro, 2 index ro, 3 weight ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 the sizes below
// Defines: VEC 4 or 1 floats an element; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: a sum of TERMS products
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/source.glsl"
#if VEC == 4
#define VALUE vec4
SOURCE4(0, 64, X, x);
#define X_AT(i) FETCH4(x, i)
#else
#define VALUE float
SOURCE1(0, 64, X, x);
#define X_AT(i) FETCH1(x, i)
#endif
SOURCE1(3, 67, Weight, weight);
#ifdef USE_TEXEL
layout(location = 66, binding = 2) uniform isamplerBuffer index;
#define INDEX(i) texelFetch(index, i).x
#else
layout(std430, binding = 2) readonly buffer Index { int index[]; };
#define INDEX(i) index[i]
#endif
layout(std430, binding = 1) writeonly buffer Y { VALUE y[]; };
layout(location = 0) uniform uint u[9];
#define COUNT u[0] // elements of y
#define N u[1]     // elements of x along the axis
#define M u[2]     // of y
#define INNER u[3] // behind it
#define TERMS u[4]
#define BY_INNER uvec2(u[5], u[6]) // lib/divide.glsl
#define BY_M uvec2(u[7], u[8])

void main() {
    uint id = invocation();
    if (id >= COUNT)
        return;
    uint q = divide(id, BY_INNER), b = id - q * INNER;
    uint a = divide(q, BY_M), o = q - a * M;
    VALUE sum = VALUE(0.0);
    for (uint t = o * TERMS; t < (o + 1u) * TERMS; t++) {
        int k = INDEX(int(t));
        float w = FETCH1(weight, int(t));
        // By its bits: a driver may take NaN for equal to 0.
        if (uint(k) < N && (floatBitsToUint(w) & 0x7fffffffu) != 0u)
            sum += w * X_AT(int((a * N + uint(k)) * INNER + b));
    }
    y[id] = sum;
}
