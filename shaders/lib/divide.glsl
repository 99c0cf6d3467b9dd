// lib/divide.glsl: a / d for a below 2^31 by a multiplication; drivers divide
// integers slowly. by is (m, s) with s = ceil(log2 d), m = floor(2^32 (2^s - d) / d) + 1.
// Source: Granlund and Montgomery, Division by Invariant Integers, 1994
uint divide(uint a, uvec2 by) {
    uint high, low;
    umulExtended(a, by.x, high, low);
    return (high + a) >> by.y;
}
