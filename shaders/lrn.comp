// lrn.comp: local response normalisation over channels.
// Math: y = x / d^beta, d = k + factor * sum x^2 over the channels from BEFORE before
// an element's to AFTER after it, as far as there are any; factor = alpha / size
// Bindings: 0 x ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 the sizes below; 12 factor, k, beta
// Defines: LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: relative (beta |ln d| + sqrt n + 8) u for n channels; squares overflow from
// 1e19 on
#include "lib/divide.glsl"
#include "lib/invocation.glsl"
#include "lib/power.glsl"
#include "lib/source.glsl"
SOURCE1(0, 64, X, x);
layout(std430, binding = 1) writeonly buffer Y { float y[]; };
layout(location = 0) uniform int u[10];
#define COUNT u[0]    // invocations
#define CHANNELS u[1] // without padding
#define LANES u[2]    // with it
#define STRIDE u[3]   // distance of a channel's neighbour
#define BEFORE u[4]
#define AFTER u[5]
#define BY_STRIDE uvec2(u[6], u[7]) // divisors: lib/divide.glsl
#define BY_LANES uvec2(u[8], u[9])
layout(location = 12) uniform float f[3];

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    uint q = divide(id, BY_STRIDE);
    int at = int(id), c = int(q) - int(divide(q, BY_LANES)) * LANES;
    if (c >= CHANNELS) {
        y[at] = 0.0;
        return;
    }
    float sum = 0.0;
    int last = min(CHANNELS - 1 - c, AFTER);
    for (int j = -min(c, BEFORE); j <= last; j++) {
        float v = FETCH1(x, at + j * STRIDE);
        sum = fma(v, v, sum);
    }
    y[at] = power_quotient(FETCH1(x, at), fma(f[0], sum, f[1]), f[2]);
}
