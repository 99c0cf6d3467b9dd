// lib/nan.glsl: is it NaN? By its bits: isnan(x) may be folded to false, and
// min, max and comparisons answer differently from driver to driver.
bool nan_is(float v) { return (floatBitsToUint(v) & 0x7fffffffu) > 0x7f800000u; }

bvec4 nan_is(vec4 v) {
    return greaterThan(floatBitsToUint(v) & uvec4(0x7fffffffu), uvec4(0x7f800000u));
}
