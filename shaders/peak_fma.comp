// peak_fma.comp: fused multiply-adds from registers, for the roof of a roofline.
// Bindings: 0 y wo (std430)
// Uniforms: 0 rounds
// Defines: LOCAL
// Workgroup: LOCAL x1x1; an invocation does 3 chains x 16 steps of vec4 a round:
// chains enough to hide the latency of a unit that is 8 wide, few enough for 16
// registers
#include "lib/invocation.glsl"
layout(std430, binding = 0) writeonly buffer Y { vec4 y[]; };
layout(location = 0) uniform int u[1];
#define ROUNDS u[0]

void main() {
    uint i = invocation();
    float s = float(i & 7u);
    vec4 a = vec4(s, s + 1.0, s + 2.0, s + 3.0), b = a + 4.0, c = a + 8.0;
    float k = 1.0 - 0.0009765625 * s, d = 0.0009765625;
    for (int r = 0; r < ROUNDS; r++)
        for (int j = 0; j < 16; j++) {
            a = fma(a, vec4(k), vec4(d));
            b = fma(b, vec4(k), vec4(d));
            c = fma(c, vec4(k), vec4(d));
        }
    y[i] = a + b + c;
}
