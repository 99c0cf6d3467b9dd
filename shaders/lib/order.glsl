// lib/order.glsl: unsigned integers in the order of floats: -0 equals 0, NaN is
// above Inf. With flip 0xffffffff the order is the opposite.
#include "lib/nan.glsl"

uint order_key(float v, uint flip) {
    uint b = floatBitsToUint(v);
    if ((b & 0x7fffffffu) == 0u)
        b = 0u;
    uint key = (b & 0x80000000u) != 0u ? ~b : b | 0x80000000u;
    return (nan_is(v) ? 0xffffffffu : key) ^ flip;
}
