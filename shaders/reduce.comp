// reduce.comp: one level of a tree of sums, extrema, products, norms, sums of
// exponentials, or indices of extrema, over the elements of x that differ in some
// dims only, the set of a result. Levels follow until a set is one block.
// Math: y[r] = finish(join over j < N of take(map(x[r, j]))). What is joined is a
// state of two words: OP 0 a sum; 1 the largest element, NaN if one is; 2 a product
// p 2^k; 3 a sum s 4^k of squares; 4 the maximum m and the sum of e^(x-m); 5 the first
// NaN, or the largest element, and its index, the least or, with LAST, the largest.
// No intermediate result of 2 to 4 leaves the range of float32.
// Map: 0 x, 1 |x|, 2 x^2, 3 -x. Finish: 0 itself, 1 over FACTOR, 2 its logarithm, 3 negated
// Without GROUP an invocation takes a block of at most 256 neighbours. With it a
// workgroup does, of which an invocation takes every LOCAL-th, at most 64, and joins
// those of its half and the other in turn.
// Bindings: 0 x, 2 states ro, 1 y or states wo, 32-bit words (std430)
// Uniforms: 0 the sizes below; 5 for each dim of the results, innermost of y first,
// and of the set, innermost of x first: size, divisor m and s (lib/divide.glsl), and
// distances in x and y
// Defines: OP; FIRST reads x, not states; FINAL writes y, not states; GROUP; LOCAL,
// USE_TEXEL
// Workgroup: LOCAL x1x1; with GROUP shared 8 LOCAL bytes
// Error: check.Bound of the sums; blocks and trees depend on N only
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/special.glsl"
#include "lib/exp.glsl"
#include "lib/log.glsl"
#include "lib/source.glsl"
#ifdef FIRST
SOURCE1(0, 64, X, x);
#else
layout(std430, binding = 2) readonly buffer From { uvec2 from[]; };
#endif
#ifdef FINAL
layout(std430, binding = 1) writeonly buffer Y { uint y[]; };
#else
layout(std430, binding = 1) writeonly buffer To { uvec2 to[]; };
#endif
layout(location = 0) uniform uint u[61];
#define COUNT u[0]    // blocks of all results
#define RESULTS u[1]  // of which lanes of padding are some
#define N u[2]        // elements, or states, of a set
#define BLOCK u[3]
#define BLOCKS u[4]   // of a set
#define BY uvec2(u[5], u[6]) // lib/divide.glsl: RESULTS, with GROUP BLOCKS
#define VALID u[7]    // results along the innermost dim of y; zeros follow
#define KEPT u[8]     // dims of the results
#define SETS u[9]     // dims of the set
#define MAP u[10]
#define FINISH u[11]
#define FACTOR uintBitsToFloat(u[12])
#define STEP_RESULT u[13] // between the states of neighbouring results
#define STEP u[14]        // and of a result
#define LAST u[15]
#define DIM(d, i) u[16u + 5u * (d) + i]

struct State {
    float a;
    int k;
};

float larger(float m, float v) { return v > m || nan_is(v) ? v : m; }

// v/2^k, of 1 to 2 without sign, unless it is 0, infinite or NaN.
float fraction(float v, inout int k) {
    int e = pow2_below(v);
    if (e == -127) { // a denormal, or 0
        v *= pow2(64);
        k -= 64;
        e = pow2_below(v);
    }
    if (e == -127 || e == 128)
        return v;
    k += e;
    return uintBitsToFloat(floatBitsToUint(v) & 0x807fffffu | 0x3f800000u);
}

// e^(v-m) with 0 for v = -Inf, also where m is -Inf.
float above(float v, float m) { return v == MINUS_INF || v - m < -103.98 ? 0.0 : exp_e(v - m); }

#if OP == 0
State none() { return State(0.0, 0); }
State join(State s, State t) { return State(s.a + t.a, 0); }
#elif OP == 1
State none() { return State(MINUS_INF, 0); }
State join(State s, State t) { return State(larger(s.a, t.a), 0); }
#elif OP == 2
State none() { return State(1.0, 0); }
State join(State s, State t) {
    int k = s.k + t.k;
    float p = fraction(s.a * t.a, k);
    return State(p, k);
}
#elif OP == 3
State none() { return State(0.0, -126); }
State join(State s, State t) {
    int k = max(s.k, t.k);
    return State(s.a * pow2(max(2 * (s.k - k), -126)) + t.a * pow2(max(2 * (t.k - k), -126)), k);
}
#elif OP == 4
State none() { return State(MINUS_INF, 0); }
State join(State s, State t) {
    float m = larger(s.a, t.a);
    float sum = fma(intBitsToFloat(s.k), above(s.a, m), intBitsToFloat(t.k) * above(t.a, m));
    return State(m, floatBitsToInt(sum));
}
#else
State none() { return State(0.0, -1); }
State join(State s, State t) {
    if (s.k < 0 || t.k < 0)
        return s.k < 0 ? t : s;
    bool before = t.k < s.k, nan = nan_is(s.a);
    if (nan != nan_is(t.a))
        return nan ? s : t;
    if (nan)
        return before ? t : s;
    return t.a > s.a || t.a == s.a && before == (LAST == 0u) ? t : s;
}
#endif

// Where element i of dims from..from+count-1 lies; with to, in y.
uint place(uint i, uint from, uint count, out uint to, out uint inner) {
    uint at = 0u;
    to = 0u;
    inner = i;
    for (uint d = from; d < from + count; d++) {
        uint q = i;
        if (d < from + count - 1u) {
            i = divide(i, uvec2(DIM(d, 1u), DIM(d, 2u)));
            q -= i * DIM(d, 0u);
        }
        if (d == from)
            inner = q;
        at += q * DIM(d, 3u);
        to += q * DIM(d, 4u);
    }
    return at;
}

#ifdef FIRST
// Element j of the set of a result whose elements begin at base.
float element(uint base, uint j) {
    uint to, inner;
    float v = FETCH1(x, int(base + place(j, KEPT, SETS, to, inner)));
    if (MAP == 1u)
        return abs(v);
    if (MAP == 2u)
        return v * v;
    return MAP == 3u ? -v : v;
}
#endif

// The state of every stride-th element from first on, below last; base is where those
// of the result begin, of x or of the states.
State reduce(uint base, uint first, uint last, uint stride) {
    State s = none();
#ifndef FIRST
    for (uint j = first; j < last; j += stride) {
        uvec2 w = from[base + j * STEP];
        s = join(s, State(uintBitsToFloat(w.x), int(w.y)));
    }
#elif OP == 0
    for (uint j = first; j < last; j += stride)
        s.a += element(base, j);
#elif OP == 1
    for (uint j = first; j < last; j += stride)
        s.a = larger(s.a, element(base, j));
#elif OP == 2
    for (uint j = first; j < last; j += stride) {
        int k = s.k;
        float v = fraction(element(base, j), k);
        s.a = fraction(s.a * v, k);
        s.k = k;
    }
#elif OP == 3
    uint far = 0u; // the bits of the largest
    for (uint j = first; j < last; j += stride)
        far = max(far, floatBitsToUint(element(base, j)) & 0x7fffffffu);
    s.k = clamp(pow2_below(uintBitsToFloat(far)), -126, 126);
    float unit = pow2(-s.k);
    for (uint j = first; j < last; j += stride) {
        float v = element(base, j) * unit;
        s.a = fma(v, v, s.a);
    }
#elif OP == 4
    for (uint j = first; j < last; j += stride)
        s.a = larger(s.a, element(base, j));
    float sum = 0.0;
    for (uint j = first; j < last; j += stride)
        sum += above(element(base, j), s.a);
    s.k = floatBitsToInt(sum);
#else
    for (uint j = first; j < last; j += stride)
        s = join(s, State(element(base, j), int(j)));
#endif
    return s;
}

// ln x for every x.
float logarithm(float x) {
    if (nan_is(x) || x < 0.0)
        return QUIET_NAN;
    if (x == 0.0 || x > 3.40282347e38)
        return x == 0.0 ? MINUS_INF : x;
    return x < pow2(-100) ? log_e(x * pow2(64)) - 44.3614195558 : log_e(x);
}

#ifdef FINAL
uint result_of(State s) {
#if OP == 5
    return uint(s.k);
#else
#if OP == 2
    int k = clamp(s.k, -252, 254), h = k / 2;
    float v = s.a * pow2(h) * pow2(k - h);
#elif OP == 3
    float v = sqrt(s.a);
    if (v > 0.0 && s.a < 3e38) // drivers may be off by some units
        v = fma(fma(-v, v, s.a), 0.5 / v, v);
    v *= pow2(s.k);
#elif OP == 4
    bool finite = (floatBitsToUint(s.a) & 0x7fffffffu) < 0x7f800000u;
    float v = finite ? s.a + log_e(intBitsToFloat(s.k)) : s.a;
#else
    float v = s.a;
#endif
    if (FINISH == 1u)
        v /= FACTOR;
    else if (FINISH == 2u)
        v = logarithm(v);
    else if (FINISH == 3u)
        v = -v;
    return floatBitsToUint(v);
#endif
}
#endif

#ifdef GROUP
shared float group_a[LOCAL];
shared int group_k[LOCAL];
#endif

void main() {
    uint id = invocation(), thread = 0u, stride = 1u, result, block;
#ifdef GROUP
    thread = gl_LocalInvocationIndex;
    stride = uint(LOCAL);
    id /= uint(LOCAL);
    result = divide(id, BY);
    block = id - result * BLOCKS;
#else
    block = divide(id, BY);
    result = id - block * RESULTS;
#endif
    bool has = id < COUNT;
    State s = none();
    uint at, inner, first = block * BLOCK;
    uint base = place(result, 0u, KEPT, at, inner);
    bool valid = has && inner < VALID;
#ifndef FIRST
    base = result * STEP_RESULT;
#endif
    if (valid)
        s = reduce(base, first + thread, min(first + BLOCK, N), stride);
#ifdef GROUP
    group_a[thread] = s.a;
    group_k[thread] = s.k;
    for (uint others = uint(LOCAL) / 2u; others > 0u; others /= 2u) {
        memoryBarrierShared();
        barrier();
        if (thread < others) {
            s = join(s, State(group_a[thread + others], group_k[thread + others]));
            group_a[thread] = s.a;
            group_k[thread] = s.k;
        }
    }
    has = has && thread == 0u;
#endif
    if (has) {
#ifdef FINAL
        y[at] = valid ? result_of(s) : 0u;
#else
        to[id] = uvec2(floatBitsToUint(s.a), uint(s.k));
#endif
    }
}
