// conv_pack.comp: weights [out, in/groups, taps], or [in, out/groups, taps] of a
// transposed convolution, to the form of backend/gl/conv_format.go:
// [groups][blocks][taps][in, rounded up][block], zeros where it is rounded up.
// Bindings: 0 w ro (texels if USE_TEXEL), 1 packed wo (std430)
// Uniforms: 0 the sizes below
// Defines: LOCAL, USE_TEXEL; TRANSPOSED for the second form
// Workgroup: LOCAL x1x1, one vec4 of packed weights an invocation
#include "lib/invocation.glsl"
#include "lib/source.glsl"
SOURCE1(0, 64, W, w);
layout(std430, binding = 1) writeonly buffer P { vec4 packed_w[]; };
layout(location = 0) uniform int u[7];
#define COUNT u[0]  // vec4s of packed weights
#define BLOCK u[1]  // of a block, along the output channels
#define IN u[2]     // input channels of a group
#define IN_UP u[3]  // the same, rounded up
#define TAPS u[4]
#define BLOCKS u[5] // of a group
#define OUT u[6]    // output channels of a group

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int i = int(id);
    int q = i / BLOCK, o = 4 * (i - q * BLOCK);
    int r = q / IN_UP, c = q - r * IN_UP;
    q = r / TAPS;
    int tap = r - q * TAPS;
    int g = q / BLOCKS;
    o += (q - g * BLOCKS) * 4 * BLOCK;
    vec4 v = vec4(0);
    for (int l = 0; l < 4; l++)
        if (o + l < OUT && c < IN)
#ifdef TRANSPOSED
            v[l] = FETCH1(w, ((g * IN + c) * OUT + o + l) * TAPS + tap);
#else
            v[l] = FETCH1(w, ((g * OUT + o + l) * IN + c) * TAPS + tap);
#endif
    packed_w[i] = v;
}
