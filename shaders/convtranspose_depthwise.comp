// convtranspose_depthwise.comp: transposed convolution of each channel by itself
// (groups = channels). An invocation computes, for one vec4 of channels, PX outputs
// along w that lie a stride apart: they read the same taps, of neighbours in x.
// Math: y[n,c,p] = epilogue(sum over i, r with i*S + r*D - B = p of x[n,c,i] w[c,r])
// Bindings: 0 x channels-last/4, 1 w packed [taps][C/4] (texels if USE_TEXEL), storage
// 2 y channels-last/4 wo, then the operands of lib/epilogue.glsl (std430)
// Uniforms: 0 the sizes below; 40 of lib/epilogue.glsl
// Defines: LOCAL; PX; USE_TEXEL
// Workgroup: LOCAL x1x1, invocations along the channels first; no shared memory
// Error: check's bound of a sum of taps terms
#include "lib/invocation.glsl"
#include "lib/source.glsl"
layout(location = 0) uniform int u[29];
#define COUNT u[0]     // invocations
#define C4 u[1]        // vec4s of a pixel
#define ROW_TILES u[2] // tiles of PX outputs of one class in a row of y
#define CLASSES u[3]   // of outputs along w: those with one remainder by the stride
#define EPI_CHANNELS u[4]
#define SIZE(d) u[5 + d]
#define OUT(d) u[8 + d]
#define KERNEL(d) u[11 + d]
#define STRIDE(d) u[14 + d]
#define DILATION(d) u[17 + d]
#define BEGIN(d) u[20 + d]
#define STEP(d) u[23 + d]
#define SHIFT(d) u[26 + d]
#include "lib/transposed.glsl"
SOURCE4(0, 64, X, x);
SOURCE4(1, 65, W, w);
layout(std430, binding = 2) writeonly buffer Y { vec4 y[]; };
#include "lib/epilogue.glsl"

#define SUM(i) sum_##i

void main() {
    uint id = invocation();
    if (id >= uint(COUNT))
        return;
    int tile = int(id) / C4, c = int(id) - tile * C4;
    int q = tile / ROW_TILES, line = q / CLASSES;
    int x0 = q - line * CLASSES + (tile - q * ROW_TILES) * PX * STRIDE(2);
    if (x0 >= OUT(2))
        return;
    int plane = line / OUT(1), oh = line - plane * OUT(1);
    int n = plane / OUT(0), od = plane - n * OUT(0);
#unroll i PX
    vec4 SUM(i) = vec4(0);
#endunroll
    Taps h0 = taps_of(1, oh), w0 = taps_of(2, x0);
    for (Taps d = taps_of(0, od); d.tap < KERNEL(0); taps_next(0, d)) {
        if (d.at < 0 || d.at >= SIZE(0))
            continue;
        for (Taps h = h0; h.tap < KERNEL(1); taps_next(1, h)) {
            if (h.at < 0 || h.at >= SIZE(1))
                continue;
            int row = ((n * SIZE(0) + d.at) * SIZE(1) + h.at) * SIZE(2);
            for (Taps t = w0; t.tap < KERNEL(2); taps_next(2, t)) {
                vec4 s = FETCH4(w, ((d.tap * KERNEL(1) + h.tap) * KERNEL(2) + t.tap) * C4 + c);
#unroll i PX
                {
                    bool inside = t.at + i >= 0 && t.at + i < SIZE(2);
                    vec4 v = FETCH4(x, (row + (inside ? t.at + i : 0)) * C4 + c);
                    SUM(i) = fma(inside ? v : vec4(0), s, SUM(i));
                }
#endunroll
            }
        }
    }
#unroll i PX
    if (x0 + i * STRIDE(2) < OUT(2)) {
        int e = (line * OUT(2) + x0 + i * STRIDE(2)) * C4 + c;
        y[e] = epilogue(SUM(i), 4 * c, 4 * e);
    }
#endunroll
}
