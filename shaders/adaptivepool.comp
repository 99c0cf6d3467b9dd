// adaptivepool.comp: the mean or maximum of windows that a table lists. Tensors
// are images n of rows of C elements, one row a pixel.
// Math: y[n,d,h,w] = mean or max of x[n,i,j,k] over the windows of d, h and w; NaN
// propagates
// Bindings: 0 x ro, 2 windows ro (texels if USE_TEXEL), 1 y wo (std430)
// Uniforms: 0 the sizes below
// Defines: MEAN; VEC 4 or 1 floats an element; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, one element an invocation
// Error: sums of at most 256 elements of a row, then of those, then of rows
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/source.glsl"
#include "lib/special.glsl"
#if VEC == 4
#define VALUE vec4
SOURCE4(0, 64, X, x);
#define X_AT(i) FETCH4(x, i)
#else
#define VALUE float
SOURCE1(0, 64, X, x);
#define X_AT(i) FETCH1(x, i)
#endif
// A window: its first element, and the one behind its last.
#ifdef USE_TEXEL
layout(location = 66, binding = 2) uniform isamplerBuffer windows;
#define WINDOW(i) texelFetch(windows, i)
#else
layout(std430, binding = 2) readonly buffer Windows { ivec4 windows[]; };
#define WINDOW(i) windows[i]
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

#ifndef MEAN
VALUE larger(VALUE best, VALUE v) {
#if VEC == 4
    return mix(best, v, greaterThan(v, best));
#else
    return v > best ? v : best;
#endif
}
#endif

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int q = split(int(id), DIVISOR(0)), c = int(id) - q * C;
    int r = split(q, DIVISOR(1)), w = q - r * OUT(2);
    q = split(r, DIVISOR(2));
    int h = r - q * OUT(1);
    int n = split(q, DIVISOR(3)), d = q - n * OUT(0);
    ivec4 td = WINDOW(d), th = WINDOW(OUT(0) + h), tw = WINDOW(OUT(0) + OUT(1) + w);
#ifdef MEAN
    VALUE total = VALUE(0);
#else
    VALUE best = VALUE(MINUS_INF);
    uvec4 bits = uvec4(0); // without sign; above those of Inf there was a NaN
#endif
    for (int i = td.x; i < td.y; i++) {
#ifdef MEAN
        VALUE plane = VALUE(0);
#endif
        for (int j = th.x; j < th.y; j++) {
            int row = ((n * SIZE(0) + i) * SIZE(1) + j) * SIZE(2);
#ifdef MEAN
            for (int first = tw.x; first < tw.y; first += 256) {
                VALUE s = VALUE(0);
                for (int k = first; k < min(first + 256, tw.y); k++)
                    s += X_AT((row + k) * C + c);
                plane += s;
            }
#else
            for (int k = tw.x; k < tw.y; k++) {
                VALUE v = X_AT((row + k) * C + c);
                best = larger(best, v);
                bits = max(bits, uvec4(floatBitsToUint(v)) & 0x7fffffffu);
            }
#endif
        }
#ifdef MEAN
        total += plane;
#endif
    }
#ifdef MEAN
    y[id] = total / (float(td.y - td.x) * float(th.y - th.x) * float(tw.y - tw.x));
#elif VEC == 4
    y[id] = mix(best, vec4(QUIET_NAN), greaterThan(bits, uvec4(0x7f800000u)));
#else
    y[id] = bits.x > 0x7f800000u ? QUIET_NAN : best;
#endif
}
