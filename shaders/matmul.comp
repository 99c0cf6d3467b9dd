// matmul.comp: batched matrix product of plain tensors.
// Math: y[m,i,j] = sum_k a[m,i,k] b[m,k,j] for each matrix m of the leading dims, of
// which a and b may have fewer
// Bindings: 0 a ro, 1 b ro (texels if USE_TEXEL), 2 y wo (std430)
// Uniforms: 0 the sizes below; 6 for each leading dim, innermost first: size,
// divisor m and s (lib/divide.glsl), strides of a and b in matrices
// Defines: ROWS rows an invocation; A4, B4 the row length of a, b is a multiple of
// 4, so that vec4s are read; DIMS leading dims, 1 to 6; LOCAL, USE_TEXEL
// Workgroup: LOCAL x1x1, ROWS x 4 elements of y an invocation, columns fastest
// Error: sums of at most 256 products, then of those
#include "lib/invocation.glsl"
#include "lib/divide.glsl"
#include "lib/source.glsl"
#ifdef A4
SOURCE4(0, 64, A, a);
#else
SOURCE1(0, 64, A, a);
#endif
#ifdef B4
SOURCE4(1, 65, B, b);
#else
SOURCE1(1, 65, B, b);
#endif
layout(std430, binding = 2) writeonly buffer Y { float y[]; };
layout(location = 0) uniform uint u[6 + 5 * DIMS];
#define COUNT u[0]
#define M int(u[1])
#define K int(u[2])
#define N int(u[3])
#define ROW_TILES int(u[4])
#define COLUMN_TILES int(u[5])

// Elements j to j+3 of the row of b that begins at row; beyond N, the last one.
vec4 columns(int row, int j) {
#ifdef B4
    return FETCH4(b, (row + j) / 4);
#else
    ivec4 at = row + min(ivec4(j, j + 1, j + 2, j + 3), ivec4(N - 1));
    return vec4(FETCH1(b, at.x), FETCH1(b, at.y), FETCH1(b, at.z), FETCH1(b, at.w));
#endif
}

void main() {
    uint id = invocation();
    if (id >= COUNT)
        return;
    int q = int(id) / COLUMN_TILES, j = (int(id) - q * COLUMN_TILES) * 4;
    int m = q / ROW_TILES, i = (q - m * ROW_TILES) * ROWS;
    uint rest = uint(m), at, ma = 0u, mb = 0u;
#unroll d DIMS
    at = rest;
#if d < DIMS - 1
    rest = divide(rest, uvec2(u[7 + 5 * d], u[8 + 5 * d]));
    at -= rest * u[6 + 5 * d];
#endif
    ma += at * u[9 + 5 * d];
    mb += at * u[10 + 5 * d];
#endunroll
    int row[ROWS]; // where the rows of a begin; beyond M, the last one
    vec4 sum[ROWS];
#unroll r ROWS
    row[r] = (int(ma) * M + min(i + r, M - 1)) * K;
    sum[r] = vec4(0);
#endunroll
    int start = int(mb) * K * N;
    for (int first = 0; first < K; first += 256) {
        int last = min(first + 256, K);
        vec4 part[ROWS];
#unroll r ROWS
        part[r] = vec4(0);
#endunroll
#ifdef A4
        for (int k = first; k < last; k += 4) {
            vec4 b0 = columns(start + k * N, j), b1 = columns(start + (k + 1) * N, j);
            vec4 b2 = columns(start + (k + 2) * N, j), b3 = columns(start + (k + 3) * N, j), v;
#unroll r ROWS
            v = FETCH4(a, (row[r] + k) / 4);
            part[r] = fma(vec4(v.x), b0, part[r]);
            part[r] = fma(vec4(v.y), b1, part[r]);
            part[r] = fma(vec4(v.z), b2, part[r]);
            part[r] = fma(vec4(v.w), b3, part[r]);
#endunroll
        }
#else
        for (int k = first; k < last; k++) {
            vec4 b0 = columns(start + k * N, j);
#unroll r ROWS
            part[r] = fma(vec4(FETCH1(a, row[r] + k)), b0, part[r]);
#endunroll
        }
#endif
#unroll r ROWS
        sum[r] += part[r];
#endunroll
    }
#unroll r ROWS
    if (i + r < M)
        for (int l = 0; l < 4; l++)
            if (j + l < N)
                y[(m * M + i + r) * N + j + l] = sum[r][l];
#endunroll
}
