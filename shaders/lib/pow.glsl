// lib/pow.glsl: a^b with the special cases of C99's pow: 1 for a = 1 or b = 0 whatever
// the other is, NaN for a negative a and a b that is no integer. Error: 4 ULP, and
// 1/32 ULP for each unit of |b ln a|. Results below 2^-126 may be flushed to 0.
// Math: b ln a in two floats, and e^(v + r) = e^v (1 + r); with one float an error of
// ln a would count b times.
#include "lib/exp.glsl"
#include "lib/special.glsl"

// The product, and what it lacks. By parts of 12 bits, of which products are exact:
// fma may be a product and a sum.
float pow_product(float a, float b, out float rest) {
    float ah = uintBitsToFloat(floatBitsToUint(a) & 0xfffff000u);
    float bh = uintBitsToFloat(floatBitsToUint(b) & 0xfffff000u);
    precise float al = a - ah, bl = b - bh;
    precise float p = a * b;
    precise float r = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
    rest = r;
    return p;
}

// For a > 0, neither 1 nor denormal, and both finite.
float pow_positive(float a, float b) {
    // a = 2^k (1+f); ln(1+f) = 2 artanh s, s = f/(2+f) in two floats as the rest is.
    bool small = a < 1e-30;
    int i = floatBitsToInt(small ? a * 18446744073709551616.0 : a); // as far as possible from denormals
    int e = (i - 0x3f3504f3) >> 23;
    precise float f = intBitsToFloat(i - (e << 23)) - 1.0;
    float k = float(small ? e - 64 : e);
    precise float d = 2.0 + f;
    precise float dl = f - (d - 2.0);
    float s = f / d, err;
    float p = pow_product(s, d, err);
    precise float sl = (((f - p) - err) - s * dl) / d;
    float z = s * s;
    float q = 0.116654821;
    q = fma(q, z, 0.142754018);
    q = fma(q, z, 0.200000614);
    q = fma(q, z, 0.333333343);
    precise float high = k * 0.693359375; // exact: 9 bits
    precise float twice = 2.0 * s;
    precise float sum = high + twice;
    precise float rest = ((high - sum) + twice) + (2.0 * (sl + s * z * q) - k * 0.000212194442);
    precise float l = sum + rest;
    precise float ll = (sum - l) + rest;

    precise float v = b * l;
    if (v > 100.0)
        return uintBitsToFloat(0x7f800000u);
    if (v < -120.0)
        return 0.0;
    v = pow_product(l, b, err);
    precise float r = err + ll * b;
    float n, m = exp_rest(v, n);
    float y = (m + (r + r * m)) + 1.0;
    int h = int(n) / 2;
    return y * pow2(h) * pow2(int(n) - h);
}

float pow_of(float a, float b) {
    const uint inf = 0x7f800000u, one = 0x3f800000u;
    uint ua = floatBitsToUint(a), ub = floatBitsToUint(b), ma = ua & 0x7fffffffu, mb = ub & 0x7fffffffu;
    if (mb == 0u || ua == one)
        return 1.0;
    if (ma > inf || mb > inf)
        return QUIET_NAN;
    bool below = ub != mb;
    if (mb == inf)
        return ma == one ? 1.0 : ((ma > one) != below ? uintBitsToFloat(inf) : 0.0);
    float by = abs(b);
    bool whole = by >= 8388608.0 || floor(by) == by;
    bool odd = whole && by < 16777216.0 && (uint(by) & 1u) == 1u;
    float y;
    if (ma < 0x800000u) // 0; a denormal may be that
        y = below ? uintBitsToFloat(inf) : 0.0;
    else if (ma == inf)
        y = below ? 0.0 : uintBitsToFloat(inf);
    else if (ua != ma && !whole)
        return QUIET_NAN;
    else
        y = ma == one ? 1.0 : pow_positive(uintBitsToFloat(ma), b);
    return ua != ma && odd ? -y : y;
}
