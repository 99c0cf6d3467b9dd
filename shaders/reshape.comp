// reshape.comp: the elements, in row-major logical order, in another shape, from
// channels-last to channels-last. Either side is images n, pixels s, channels c
// padded to lanes. (Where a side is plain, reorder.comp serves.)
// Bindings: 0 x ro, 1 y wo, 32-bit words (std430)
// Uniforms: 0 words of y; 1 of y and 8 of x: channels, lanes, pixels; behind these,
// for y the divisors of lanes and pixels, for x of pixels and channels (lib/divide.glsl)
// Defines: LOCAL
// Workgroup: LOCAL x1x1, one word an invocation
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
layout(std430, binding = 0) readonly buffer X { uint x[]; };
layout(std430, binding = 1) writeonly buffer Y { uint y[]; };
layout(location = 0) uniform uint u[15];
#define COUNT u[0]

void main() {
    uint i = invocation();
    if (i >= COUNT)
        return;
    // Where y[i] is in logical order.
    uint yc = u[1], ylanes = u[2], ypixels = u[3];
    uint q = divide(i, uvec2(u[4], u[5])), c = i - q * ylanes;
    uint n = divide(q, uvec2(u[6], u[7])), s = q - n * ypixels;
    if (c >= yc) {
        y[i] = 0u;
        return;
    }
    uint l = (n * yc + c) * ypixels + s;
    // Where x keeps that.
    uint xc = u[8], xlanes = u[9], xpixels = u[10];
    q = divide(l, uvec2(u[11], u[12]));
    s = l - q * xpixels;
    n = divide(q, uvec2(u[13], u[14]));
    c = q - n * xc;
    y[i] = x[(n * xpixels + s) * xlanes + c];
}
