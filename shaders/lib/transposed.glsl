// lib/transposed.glsl: which taps of a transposed convolution read for an output.
// Along a dim that is every STEP-th from the first on, and the input of each lies
// SHIFT before that of the one before.
// Defines, all per dim: KERNEL, STRIDE, DILATION, BEGIN; STEP is stride / g and SHIFT
// dilation / g, with their greatest common divisor g
// Use: for (Taps t = taps_of(d, p); t.tap < KERNEL(d); taps_next(d, t)), and check that
// t.at lies in x
struct Taps {
    int tap;
    int at; // the input that it reads
};

// With p + begin = m S + q the taps are those with r D = q modulo S, and tap r reads
// input m - (r D - q) / S.
Taps taps_of(int d, int p) {
    int a = p + BEGIN(d), m = a / STRIDE(d), q = a - m * STRIDE(d);
    int rest = q, less = DILATION(d) % STRIDE(d), end = min(STEP(d), KERNEL(d));
    for (int r = 0; r < end; r++) {
        if (rest == 0)
            return Taps(r, m - (r * DILATION(d) - q) / STRIDE(d));
        rest -= less;
        rest += rest < 0 ? STRIDE(d) : 0;
    }
    return Taps(KERNEL(d), 0);
}

void taps_next(int d, inout Taps t) {
    t.tap += STEP(d);
    t.at -= SHIFT(d);
}
