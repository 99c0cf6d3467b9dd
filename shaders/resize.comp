// resize.comp: spatial dims resized, by taking or blending elements of x. Tensors
// are images n of rows of C elements, one row a pixel.
// Math: y[n,d,h,w] = sum over the taps of d, h and w of their weights * x[n,...]; a
// tap of weight 0 is not read
// Bindings: 0 x ro, 2 taps ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 the sizes below
// Defines: LINEAR (else a dim has one tap of weight 1); DIMS 1 to 3; VEC 4 or 1
// floats an element; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: three roundings a dim
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
// A tap: indices of the lower and upper element, bits of their weights.
#ifdef USE_TEXEL
layout(location = 66, binding = 2) uniform isamplerBuffer taps;
#define TAP(i) texelFetch(taps, i)
#else
layout(std430, binding = 2) readonly buffer Taps { ivec4 taps[]; };
#define TAP(i) taps[i]
#endif
layout(std430, binding = 1) writeonly buffer Y { VALUE y[]; };
layout(location = 0) uniform int u[16];
#define COUNT u[0] // invocations
#define C u[1]     // elements of a pixel
#define SIZE(d) u[2 + d]
#define OUT(d) u[5 + d]
// Divisors (lib/divide.glsl): C, OUT(2), OUT(1), OUT(0)
#define DIVISOR(i) uvec2(u[8 + 2 * (i)], u[9 + 2 * (i)])

int split(int a, uvec2 by) { return int(divide(uint(a), by)); }

bool two(ivec4 t) { return t.w != 0; }

VALUE blend(ivec4 t, VALUE a, VALUE b) { return a * intBitsToFloat(t.z) + b * intBitsToFloat(t.w); }

VALUE along_w(int row, ivec4 w, int c) {
    VALUE v = X_AT((row * SIZE(2) + w.x) * C + c);
#ifdef LINEAR
    if (two(w))
        v = blend(w, v, X_AT((row * SIZE(2) + w.y) * C + c));
#endif
    return v;
}

VALUE along_h(int plane, ivec4 h, ivec4 w, int c) {
    VALUE v = along_w(plane * SIZE(1) + h.x, w, c);
#if defined LINEAR && DIMS > 1
    if (two(h))
        v = blend(h, v, along_w(plane * SIZE(1) + h.y, w, c));
#endif
    return v;
}

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int q = split(int(id), DIVISOR(0)), c = int(id) - q * C;
    int r = split(q, DIVISOR(1)), w = q - r * OUT(2);
    q = split(r, DIVISOR(2));
    int h = r - q * OUT(1);
    int n = split(q, DIVISOR(3)), d = q - n * OUT(0);
    ivec4 td = TAP(d), th = TAP(OUT(0) + h), tw = TAP(OUT(0) + OUT(1) + w);
    VALUE v = along_h(n * SIZE(0) + td.x, th, tw, c);
#if defined LINEAR && DIMS > 2
    if (two(td))
        v = blend(td, v, along_h(n * SIZE(0) + td.y, th, tw, c));
#endif
    y[id] = v;
}
