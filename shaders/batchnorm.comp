// batchnorm.comp: y = scale[c] * (x - mean[c]) / sqrt(var[c] + epsilon) + bias[c].
// Bindings: 0 x ro, 1 y wo, 2 scale, 3 bias, 4 mean, 5 var ro (std430); y may be x
// Uniforms: 0 the sizes below; 6 epsilon
// Defines: VEC 4 where channels are last in fours, else 1; RUN elements an invocation;
// LOCAL
// Workgroup: LOCAL x1x1, RUN elements of one channel, or vec4s of four, an invocation
// Error: the product, the quotient and the sum are rounded once each
#include "lib/invocation.glsl"
#if VEC == 4
#define VALUE vec4
#else
#define VALUE float
#endif
layout(std430, binding = 0) readonly buffer X { VALUE x[]; };
layout(std430, binding = 1) writeonly buffer Y { VALUE y[]; };
layout(std430, binding = 2) readonly buffer S { float scale[]; };
layout(std430, binding = 3) readonly buffer B { float bias[]; };
layout(std430, binding = 4) readonly buffer M { float mean[]; };
layout(std430, binding = 5) readonly buffer V { float variance[]; };
layout(location = 0) uniform int u[6];
#define COUNT u[0]    // invocations
#define CHANNELS u[1] // channels without padding
#define GROUPS u[2]   // of VEC channels
#define RUNS u[3]     // invocations that share a channel of one image
#define PIXELS u[4]   // elements of a channel of one image
#define SCALAR_LAST u[5] // with VEC 1: 1 where channels are last in memory
layout(location = 6) uniform float epsilon;

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
        int q = i / GROUPS;
        g = i - q * GROUPS;
        n = q / RUNS;
        run = q - n * RUNS;
        at = (n * PIXELS + run * RUN) * GROUPS + g;
        step = GROUPS;
        left = PIXELS - run * RUN;
    } else {
        int q = i / RUNS;
        run = i - q * RUNS;
        n = q / GROUPS;
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
            s[lane] = scale[c] / sqrt(variance[c] + epsilon);
            b[lane] = bias[c];
            m[lane] = mean[c];
        }
    }
#else
    if (g < CHANNELS) {
        s = scale[g] / sqrt(variance[g] + epsilon);
        b = bias[g];
        m = mean[g];
    }
#endif
    for (int j = 0; j < min(RUN, left); j++, at += step)
        y[at] = fma(x[at] - m, s, b);
}
