// pad.comp: a tensor made longer at both ends of each dim, in any layout.
// Math: y[i,...] = x[i - begin,...] where that exists; else `value`, or the element
// at the nearest end (edge), its mirror image about the end (reflect), or the one as
// far from the other end (wrap)
// Bindings: 0 x ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 elements of y, channels with MASK; 2 for each dim of y as it lies,
// innermost first: size, divisor m and s (lib/divide.glsl), begin, size of x,
// stride of x; 60 value
// Defines: MODE; DIMS 1 to 8; VEC 4 or 1 floats an element; MASK: the innermost
// dim is channels with padding, which gets zeros; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/source.glsl"

#define MODE_CONSTANT 0
#define MODE_REFLECT 1
#define MODE_EDGE 2
#define MODE_WRAP 3

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
layout(location = 0) uniform uint u[2 + 6 * DIMS];
#define COUNT u[0]
#define CHANNELS u[1]
layout(location = 60) uniform float value;

void main() {
    uint i = invocation();
    if (i >= COUNT)
        return;
    uint rest = i, q, inner;
    int from = 0, at, last;
    bool exists = true;
#unroll d DIMS
    q = rest;
#if d < DIMS - 1
    rest = divide(rest, uvec2(u[3 + 6 * d], u[4 + 6 * d]));
    q -= rest * u[2 + 6 * d];
#endif
#if d == 0
    inner = q;
#endif
    at = int(q - u[5 + 6 * d]);
    last = int(u[6 + 6 * d]) - 1;
#if MODE == MODE_CONSTANT
    exists = exists && at >= 0 && at <= last;
#elif MODE == MODE_EDGE
    at = clamp(at, 0, last);
#elif MODE == MODE_WRAP
    at += at < 0 ? last + 1 : 0; // begin is less than the size of x here
    if (at > last)
        at = int(uint(at) % uint(last + 1));
#else
    at = at < 0 ? -at : (at > last ? 2 * last - at : at);
#endif
    from += at * int(u[7 + 6 * d]);
#endunroll
    bool written = true;
#if defined MASK && VEC == 1
    written = inner < CHANNELS; // a padded lane of y may have no source
#endif
    VALUE v = VALUE(value);
    if (exists && written)
        v = FETCH_X(from);
#ifdef MASK
#if VEC == 4
    v = mix(vec4(0), v, lessThan(uvec4(0u, 1u, 2u, 3u) + 4u * inner, uvec4(CHANNELS)));
#else
    v = written ? v : 0.0;
#endif
#endif
    y[i] = v;
}
