// peak_copy.comp: y = x, for the roof of a roofline.
// Bindings: 0 x ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 vec4s
// Defines: LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one vec4 an invocation
#include "lib/invocation.glsl"
#include "lib/source.glsl"
SOURCE4(0, 64, X, x);
layout(std430, binding = 1) writeonly buffer Y { vec4 y[]; };
layout(location = 0) uniform int u[1];
#define COUNT u[0]

void main() {
    uint i = invocation();
    if (i < uint(COUNT))
        y[i] = FETCH4(x, int(i));
}
