// lib/quotient.glsl: p / q for every q to 2.5 ULP. GLSL promises that for divisors of
// middling size only; scaling both by a power of two leaves the quotient as it is.
float quotient(float p, float q) {
    float m = abs(q);
    float k = m > 1.0e30 ? 2.3283064e-10 : (m < 1.0e-30 ? 4294967296.0 : 1.0);
    return (p * k) / (q * k);
}
