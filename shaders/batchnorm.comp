// batchnorm.comp: y = scale[c] * (x - mean[c]) / sqrt(var[c] + epsilon) + bias[c].
// Bindings: 0 x ro, 2 scale, 3 bias, 4 mean, 5 var ro (texels if USE_TEXEL), 1 y wo
// (std430); y may be x
// Uniforms: 0 the sizes below; 10 epsilon
// Defines: VEC 4 where channels are last in fours, else 1; RUN elements an invocation;
// LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, RUN elements of one channel, or vec4s of four, an invocation
// Error: the product, the quotient and the sum are rounded once each
#include "lib/divide.glsl"
#include "lib/invocation.glsl"
#include "lib/source.glsl"
#if VEC == 4
#define VALUE vec4
#else
#define VALUE float
#endif
#if VEC == 4
SOURCE4(0, 64, X, x);
#define FETCH_X(i) FETCH4(x, i)
#else
SOURCE1(0, 64, X, x);
#define FETCH_X(i) FETCH1(x, i)
#endif
layout(std430, binding = 1) writeonly buffer Y { VALUE y[]; };
SOURCE1(2, 66, S, scale);
SOURCE1(3, 67, B, bias);
SOURCE1(4, 68, M, mean);
SOURCE1(5, 69, V, variance);
layout(location = 0) uniform int u[10];
#define COUNT u[0]    // invocations
#define CHANNELS u[1] // channels without padding
#define GROUPS u[2]   // of VEC channels
#define RUNS u[3]     // invocations that share a channel of one image
#define PIXELS u[4]   // elements of a channel of one image
#define SCALAR_LAST u[5] // with VEC 1: 1 where channels are last in memory
#define BY_GROUPS uvec2(u[6], u[7]) // divisors: lib/divide.glsl
#define BY_RUNS uvec2(u[8], u[9])
layout(location = 10) uniform float epsilon;

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    // Invocations that are neighbours touch neighbours in memory: channels-last
    // counts by channel first, plain by pixel.
    int i = int(id), g, run, n, at, step, left;
#if VEC == 4
    const bool last = true;
#else
    bool last = SCALAR_LAST != 0;
#endif
    if (last) {
        int q = int(divide(id, BY_GROUPS));
        g = i - q * GROUPS;
        n = int(divide(uint(q), BY_RUNS));
        run = q - n * RUNS;
        at = (n * PIXELS + run * RUN) * GROUPS + g;
        step = GROUPS;
        left = PIXELS - run * RUN;
    } else {
        int q = int(divide(id, BY_RUNS));
        run = i - q * RUNS;
        n = int(divide(uint(q), BY_GROUPS));
        g = q - n * GROUPS;
        at = q * PIXELS + run;
        step = RUNS;
        left = (PIXELS - run + RUNS - 1) / RUNS;
    }
    VALUE s = VALUE(0), b = VALUE(0), m = VALUE(0);
#if VEC == 4
    for (int lane = 0; lane < 4; lane++) {
        int c = 4 * g + lane;
        if (c < CHANNELS) { // zeros stay in the padded lanes
            s[lane] = FETCH1(scale, c) / sqrt(FETCH1(variance, c) + epsilon);
            b[lane] = FETCH1(bias, c);
            m[lane] = FETCH1(mean, c);
        }
    }
#else
    if (g < CHANNELS) {
        s = FETCH1(scale, g) / sqrt(FETCH1(variance, g) + epsilon);
        b = FETCH1(bias, g);
        m = FETCH1(mean, g);
    }
#endif
    for (int j = 0; j < min(RUN, left); j++, at += step)
        y[at] = fma(FETCH_X(at) - m, s, b);
}
