// activation.comp: y = act(x) elementwise, see lib/activation.glsl. y may be x.
// Bindings: 0 x ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 the sizes below; 3 alpha, beta
// Defines: ACT, ACT_ARGS of lib/activation.glsl; WIDTH 4 or 1 (default) elements an invocation; MASK: x has channels with
// padding, where zeros are written; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1
// Error: see lib/activation.glsl
#include "lib/invocation.glsl"
#include "lib/source.glsl"
#include "lib/activation.glsl"
#ifndef WIDTH
#define WIDTH 1
#endif
#if WIDTH == 4
#define VALUE vec4
#define FETCH FETCH4
SOURCE4(0, 64, X, x);
#else
#define VALUE float
#define FETCH FETCH1
SOURCE1(0, 64, X, x);
#endif
layout(std430, binding = 1) writeonly buffer Y { VALUE y[]; };
layout(location = 0) uniform int u[3];
#define COUNT u[0]    // invocations
#define CHANNELS u[1] // with MASK: channels
#define LANES u[2]    // with MASK: the same with padding
layout(location = 3) uniform float f[2];

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int i = int(id);
    VALUE v = act_apply(FETCH(x, i), f[0], f[1]);
#ifdef MASK
#if WIDTH == 4
    for (int l = 0; l < 4; l++)
        v[l] = (4 * i + l) % LANES < CHANNELS ? v[l] : 0.0;
#else
    v = i % LANES < CHANNELS ? v : 0.0;
#endif
#endif
    y[i] = v;
}
