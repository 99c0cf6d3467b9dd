// where.comp: z = c != 0 ? x : y elementwise, each of c, x and y stretched along the
// dims in which its stride is 0. NaN is not 0.
// Bindings: 0 c ro, 1 x ro, 2 y ro (texels if USE_TEXEL), 3 z wo (std430); z may be an
// operand of its own shape
// Uniforms: 0 elements of z, channels with MASK; 2 for each dim, innermost first:
// size, divisor m and s (lib/divide.glsl), strides of c, x and y
// Defines: DIMS 1 to 8; VEC 4 or 1 floats an element; C_SPLAT, X_SPLAT, Y_SPLAT with
// VEC 4: a float for all four lanes, strides in floats; MASK: the innermost dim is
// channels with padding, which gets zeros; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: none
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/source.glsl"

#if VEC == 4
#define VALUE vec4
#else
#define VALUE float
#endif
#if VEC == 4 && !defined C_SPLAT
SOURCE4(0, 64, C, c);
#define FETCH_C(i) FETCH4(c, i)
#else
SOURCE1(0, 64, C, c);
#define FETCH_C(i) FETCH1(c, i)
#endif
#if VEC == 4 && !defined X_SPLAT
SOURCE4(1, 65, X, x);
#define FETCH_X(i) FETCH4(x, i)
#else
SOURCE1(1, 65, X, x);
#define FETCH_X(i) FETCH1(x, i)
#endif
#if VEC == 4 && !defined Y_SPLAT
SOURCE4(2, 66, Y, y);
#define FETCH_Y(i) FETCH4(y, i)
#else
SOURCE1(2, 66, Y, y);
#define FETCH_Y(i) FETCH1(y, i)
#endif
layout(std430, binding = 3) writeonly buffer Z { VALUE z[]; };
layout(location = 0) uniform uint u[2 + 6 * DIMS];
#define COUNT u[0]
#define CHANNELS u[1]

// By the bits: a comparison with NaN answers differently from driver to driver.
bool holds(float v) { return (floatBitsToUint(v) & 0x7fffffffu) != 0u; }

VALUE choose(VALUE c, VALUE x, VALUE y) {
#if VEC == 4
    return vec4(holds(c.x) ? x.x : y.x, holds(c.y) ? x.y : y.y, holds(c.z) ? x.z : y.z, holds(c.w) ? x.w : y.w);
#else
    return holds(c) ? x : y;
#endif
}

void main() {
    uint i = invocation();
    if (i >= COUNT)
        return;
    uint rest = i, at, inner, pc = 0u, px = 0u, py = 0u;
#unroll d DIMS
    at = rest;
#if d < DIMS - 1
    rest = divide(rest, uvec2(u[3 + 6 * d], u[4 + 6 * d]));
    at -= rest * u[2 + 6 * d];
#endif
#if d == 0
    inner = at;
#endif
    pc += at * u[5 + 6 * d];
    px += at * u[6 + 6 * d];
    py += at * u[7 + 6 * d];
#endunroll
    VALUE v = VALUE(0);
#ifdef MASK
    if (uint(VEC) * inner < CHANNELS) // the operands may have no such lanes
#endif
        v = choose(VALUE(FETCH_C(int(pc))), VALUE(FETCH_X(int(px))), VALUE(FETCH_Y(int(py))));
#if defined MASK && VEC == 4
    v = mix(vec4(0), v, lessThan(uvec4(0u, 1u, 2u, 3u) + 4u * inner, uvec4(CHANNELS)));
#endif
    z[i] = v;
}
