// norm.comp: group, instance and layer normalisation.
// Math: y = scale * (x - mu) / sqrt(var + epsilon) + bias, with the mean mu and the
// variance var of the element's slice. With s an element of the slice,
// m = s + mean(x - s), d = x - m, r = mean(d): mu = m + r, var = mean(d^2) - r^2.
// The second step takes back what rounding did to the first; equal elements have d = 0.
// No sum overflows or vanishes: x - s is divided by 2^SPREAD > LENGTH in the first
// step, and what follows is in units of a power of two near the largest |x - s|, or
// near sqrt epsilon if that is larger.
// A slice of LENGTH elements belongs to THREADS invocations. MEAN finds for each the
// sum and the largest of x - s; SQUARE joins them to m and finds the sums of d and d^2; APPLY joins
// those and writes. Without any of the three, one invocation does all for a slice.
// Element j of slice (i, k) lies at i*OUTER + k*INNER + a*ROW + b*STEP with a = j / WIDTH,
// b = j % WIDTH, and its scale at k*PARAM_INNER + a*PARAM_ROW + b*PARAM_STEP.
// NaN, an infinity, and var + epsilon = 0 make the slice NaN.
// Bindings: 0 x, 2 scale, 3 bias, 4 sums ro (texels if USE_TEXEL), 1 y wo, 5 sums wo
// (std430); y may be x
// Uniforms: 0 the sizes below; 20 epsilon
// Defines: MEAN, SQUARE or APPLY; MASK zeros are written to PADS lanes after the last
// channel; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, every THREADS-th element of one slice an invocation
// Error: two levels of sums, of sqrt(LENGTH) terms each
#include "lib/invocation.glsl"
#include "lib/pow2.glsl"
#include "lib/source.glsl"
#include "lib/special.glsl"
SOURCE1(0, 64, X, x);
#if !defined MEAN && !defined SQUARE
layout(std430, binding = 1) writeonly buffer Y { float y[]; };
SOURCE1(2, 66, S, scale);
SOURCE1(3, 67, B, bias);
#endif
#ifdef MEAN
layout(std430, binding = 5) writeonly buffer To { vec4 to[]; };
#elif defined SQUARE
SOURCE4(4, 68, From, from);
layout(std430, binding = 5) writeonly buffer To { vec4 to[]; };
#elif defined APPLY
SOURCE4(4, 68, From, from);
#endif
layout(location = 0) uniform int u[16];
#define COUNT u[0]   // invocations
#define LENGTH u[1]  // elements of a slice
#define THREADS u[2] // invocations of a slice
#define OUTER u[3]
#define INNERS u[4]  // slices (i, 0), (i, 1), ...
#define INNER u[5]
#define WIDTH u[6]
#define ROW u[7]
#define STEP u[8]
#define PARAM_INNER u[9]
#define PARAM_ROW u[10]
#define PARAM_STEP u[11]
#define NEIGHBOURS u[12] // 1: neighbouring invocations have neighbouring k, else neighbouring j
#define PADS u[13]
#define SPREAD u[14]
#define LEAST u[15]   // the power of two below sqrt epsilon
layout(location = 20) uniform float epsilon;

// A walk through the elements of an invocation.
struct Walk {
    int j, a, b;
};

Walk walk_start(int thread) {
    int a = thread / WIDTH;
    return Walk(thread, a, thread - a * WIDTH);
}

void walk_next(inout Walk w, int rows, int left) {
    w.j += THREADS;
    w.a += rows;
    w.b += left;
    if (w.b >= WIDTH) {
        w.b -= WIDTH;
        w.a++;
    }
}

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int i, k, thread;
    if (NEIGHBOURS != 0) {
        int q = int(id) / INNERS;
        k = int(id) - q * INNERS;
        i = q / THREADS;
        thread = q - i * THREADS;
    } else {
        int q = int(id) / THREADS;
        thread = int(id) - q * THREADS;
        i = q / INNERS;
        k = q - i * INNERS;
    }
    int base = i * OUTER + k * INNER;
    int slot = (i * INNERS + k) * THREADS; // of the slice's sums
    int rows = THREADS / WIDTH, left = THREADS - rows * WIDTH;
    float n = float(LENGTH);
    precise float m, rest, d; // m, rest and d, but for the first step, in units of 1 / unit
    float unit, sum = 0.0, square = 0.0;
#define AT(w) (base + w.a * ROW + w.b * STEP)
#ifndef APPLY
    float shift = FETCH1(x, base), fewer = pow2(-SPREAD), far = 0.0;
#ifndef SQUARE
    precise float low = shift * fewer;
    for (Walk w = walk_start(thread); w.j < LENGTH; walk_next(w, rows, left)) {
        d = fma(FETCH1(x, AT(w)), fewer, -low);
        sum += d;
        far = max(far, abs(d));
    }
#else
    for (int t = 0; t < THREADS; t++) {
        vec4 p = FETCH4(from, slot + t);
        sum += p.x;
        far = max(far, p.y);
    }
#endif
#ifdef MEAN
    to[slot + thread] = vec4(sum, far, 0.0, 0.0);
    return;
#else
    // Elements that are not equal differ by 2^-26 of one of them at least.
    int power = max(max(pow2_below(far) + SPREAD, LEAST), pow2_below(shift) - 26);
    unit = pow2(-clamp(power, -126, 126));
    m = shift * unit + sum * unit / (n * fewer);
    sum = 0.0;
    for (Walk w = walk_start(thread); w.j < LENGTH; walk_next(w, rows, left)) {
        d = fma(FETCH1(x, AT(w)), unit, -m);
        sum += d;
        square = fma(d, d, square);
    }
#endif
#ifdef SQUARE
    to[slot + thread] = vec4(sum, square, m, unit);
    return;
#endif
#else
    vec4 first = FETCH4(from, slot);
    m = first.z;
    unit = first.w;
    for (int t = 0; t < THREADS; t++) {
        vec4 p = FETCH4(from, slot + t);
        sum += p.x;
        square += p.y;
    }
#endif
#if !defined MEAN && !defined SQUARE
    rest = sum / n;
    float variance = square / n - rest * rest;
    precise float least = epsilon * unit * unit; // in this order: unit^2 may be out of range
    variance = (variance < 0.0 ? 0.0 : variance) + least; // NaN stays
    float inverse = 1.0 / sqrt(variance);
    if (variance == 0.0) // equal elements; epsilon may be nothing beside them
        inverse = epsilon == 0.0 ? QUIET_NAN : 1.0;
    for (Walk w = walk_start(thread); w.j < LENGTH; walk_next(w, rows, left)) {
        int p = k * PARAM_INNER + w.a * PARAM_ROW + w.b * PARAM_STEP;
        d = fma(FETCH1(x, AT(w)), unit, -m);
        d -= rest;
        y[AT(w)] = fma(d, inverse * FETCH1(scale, p), FETCH1(bias, p));
#ifdef MASK
        if (k == INNERS - 1 && w.b == WIDTH - 1)
            for (int l = 1; l <= PADS; l++)
                y[AT(w) + l] = 0.0;
#endif
    }
#endif
}
