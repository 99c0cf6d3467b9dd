// lib/log.glsl: ln x to 1 ULP for normal x > 0, also near 1, where drivers are weak;
// ln(1 + x) to 2 ULP for x of 0 to 1.
// Math: x = 2^k (1+f), 1+f in [sqrt 1/2, sqrt 2); s = f/(2+f);
// ln(1+f) = f - s (f - r(s^2)), r of degree 3 interpolated at the Chebyshev points.

// ln(2^k (1+f))
float log_parts(float k, float f) {
    float s = f / (2.0 + f), z = s * s;
    float r = fma(z, 0.295799494, 0.3998878);
    r = z * fma(z, r, 0.666666865);
    // ln2 in two parts: the first has 9 bits, so that k times it is exact.
    return fma(k, 0.693359375, f - fma(s, f - r, k * 0.000212194442));
}

// ln(x 2^-up)
float log_scaled(float x, int up) {
    int b = floatBitsToInt(x);
    int e = (b - 0x3f3504f3) >> 23; // sqrt 1/2 has these bits, less one exponent
    return log_parts(float(e - up), intBitsToFloat(b - (e << 23)) - 1.0);
}

float log_e(float x) { return log_scaled(x, 0); }

// 1 + x is never rounded: from sqrt 2 - 1 on it is 2 (1 + (x-1)/2).
float log_1p(float x) { return x < 0.414213568 ? log_parts(0.0, x) : log_parts(1.0, 0.5 * (x - 1.0)); }
