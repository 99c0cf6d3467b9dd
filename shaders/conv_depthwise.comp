// conv_depthwise.comp: convolution of each channel by itself (groups = channels).
// An invocation computes PX neighbours along w of one vec4 of channels.
// Math: y[n,c,p] = epilogue(sum over t of x[n, c, p*S + t*D - B] w[c,t])
// Bindings: 0 x channels-last/4, 1 w packed [taps][C/4] (texels if USE_TEXEL), storage
// 2 y channels-last/4 wo, then the operands of lib/epilogue.glsl (std430)
// Uniforms: 0 the sizes below; 40 of lib/epilogue.glsl
// Defines: LOCAL; PX; KW SW DW kernel, stride and dilation along w; INPUTS = (PX-1) SW +
// (KW-1) DW + 1, what the PX windows cover in one row, which is read once; USE_TEXEL
// Workgroup: LOCAL x1x1, invocations along the channels first; no shared memory
// Error: check's bound of a sum of taps terms
#include "lib/invocation.glsl"
#include "lib/source.glsl"
layout(location = 0) uniform int u[21];
#define COUNT u[0]     // invocations
#define C4 u[1]        // vec4s of a pixel
#define ROW_TILES u[2] // tiles of PX pixels in a row of y
#define SIZE(d) u[3 + d]
#define OUT(d) u[6 + d]
#define KERNEL_D u[9]
#define KERNEL_H u[10]
#define STRIDE(d) u[11 + d]
#define DILATION(d) u[14 + d]
#define BEGIN(d) u[17 + d]
#define EPI_CHANNELS u[20]
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
    int line = tile / ROW_TILES, x0 = (tile - line * ROW_TILES) * PX;
    int plane = line / OUT(1), oh = line - plane * OUT(1);
    int n = plane / OUT(0), od = plane - n * OUT(0);
#unroll i PX
    vec4 SUM(i) = vec4(0);
#endunroll
    for (int td = 0; td < KERNEL_D; td++) {
        int id = od * STRIDE(0) - BEGIN(0) + td * DILATION(0);
        if (id < 0 || id >= SIZE(0))
            continue;
        for (int th = 0; th < KERNEL_H; th++) {
            int ih = oh * STRIDE(1) - BEGIN(1) + th * DILATION(1);
            if (ih < 0 || ih >= SIZE(1))
                continue;
            int row = ((n * SIZE(0) + id) * SIZE(1) + ih) * SIZE(2);
            int iw0 = x0 * SW - BEGIN(2);
            vec4 v[INPUTS];
#unroll j INPUTS
            {
                int iw = iw0 + j;
                bool inside = iw >= 0 && iw < SIZE(2);
                v[j] = FETCH4(x, (row + (inside ? iw : 0)) * C4 + c);
                v[j] = inside ? v[j] : vec4(0);
            }
#endunroll
            int f = (td * KERNEL_H + th) * KW * C4 + c;
#unroll tw KW
            {
                vec4 t = FETCH4(w, f + tw * C4);
#unroll i PX
                SUM(i) = fma(v[i * SW + tw * DW], t, SUM(i));
#endunroll
            }
#endunroll
        }
    }
#unroll i PX
    if (x0 + i < OUT(2)) {
        int e = (line * OUT(2) + x0 + i) * C4 + c;
        y[e] = epilogue(SUM(i), 4 * c, 4 * e);
    }
#endunroll
}
