// lib/epilogue.glsl: what is done to a result before it is stored: bias, scale and
// shift, residual, activations, in any order and number.
// Use: v = epilogue(v, o, at) for the results of channels o to o+3, which lie at
// element at of y; lanes beyond EPI_CHANNELS (a uniform of the kernel) become zeros.
// Defines: EPILOGUE, the steps in order: EPI_BIAS(i) adds vector i, EPI_SCALE(i)
// multiplies by vector i and adds vector i+1, EPI_RESIDUAL(i) adds tensor i,
// EPI_ACT(f), EPI_ACT1(f, i), EPI_ACT2(f, i) apply the function f of lib/activation.glsl
// with no constant, with epi_f[i], and with epi_f[i+1] too. EPI_VECTORS, EPI_TENSORS,
// EPI_CONSTANTS count the operands; EPI_SLOT and EPI_TENSOR_SLOT are the first slots, EPI_LOC and
// EPI_TENSOR_LOC the locations of their samplers. EPI_WIDE: channels are a multiple of 4, and so is o, so that
// operands are read as vec4s, tensors at at/4; MASK: there are padded lanes;
// USE_TEXEL as in lib/source.glsl
// Uniforms: 40 epi_f
#include "lib/activation.glsl"

#ifdef EPI_WIDE
#define EPI_ELEMENT vec4
#else
#define EPI_ELEMENT float
#endif
#if EPI_VECTORS > 0
#ifdef USE_TEXEL
layout(location = EPI_LOC, binding = EPI_SLOT) uniform samplerBuffer epi_vector[EPI_VECTORS];
#define EPI_VECTOR_AT(i, j) texelFetch(epi_vector[i], j)
#else
layout(std430, binding = EPI_SLOT) readonly buffer EpiVector { EPI_ELEMENT e[]; } epi_vector[EPI_VECTORS];
#define EPI_VECTOR_AT(i, j) epi_vector[i].e[j]
#endif
#endif
#if EPI_TENSORS > 0
#ifdef USE_TEXEL
layout(location = EPI_TENSOR_LOC, binding = EPI_TENSOR_SLOT) uniform samplerBuffer epi_tensor[EPI_TENSORS];
#define EPI_TENSOR_AT(i, j) texelFetch(epi_tensor[i], j)
#else
layout(std430, binding = EPI_TENSOR_SLOT) readonly buffer EpiTensor { EPI_ELEMENT e[]; } epi_tensor[EPI_TENSORS];
#define EPI_TENSOR_AT(i, j) epi_tensor[i].e[j]
#endif
#endif
#if EPI_CONSTANTS > 0
layout(location = 40) uniform float epi_f[EPI_CONSTANTS];
#endif

#if defined USE_TEXEL && !defined EPI_WIDE
#define EPI_FLOAT(e) (e).x
#else
#define EPI_FLOAT(e) e
#endif
#ifdef EPI_WIDE
#define EPI_VECTOR4(i) EPI_VECTOR_AT(i, o / 4)
#define EPI_TENSOR4(i) EPI_TENSOR_AT(i, at / 4)
#else
// Beyond the last channel the last one is read again; those lanes are cleared.
#define EPI_LANE(l) min(l, EPI_CHANNELS - 1 - o)
#define EPI_VECTOR1(i, l) EPI_FLOAT(EPI_VECTOR_AT(i, o + EPI_LANE(l)))
#define EPI_TENSOR1(i, l) EPI_FLOAT(EPI_TENSOR_AT(i, at + EPI_LANE(l)))
#define EPI_VECTOR4(i) vec4(EPI_VECTOR1(i, 0), EPI_VECTOR1(i, 1), EPI_VECTOR1(i, 2), EPI_VECTOR1(i, 3))
#define EPI_TENSOR4(i) vec4(EPI_TENSOR1(i, 0), EPI_TENSOR1(i, 1), EPI_TENSOR1(i, 2), EPI_TENSOR1(i, 3))
#endif

#define EPI_BIAS(i) v += EPI_VECTOR4(i);
#define EPI_SCALE(i) v = fma(v, EPI_VECTOR4(i), EPI_VECTOR4(i + 1));
#define EPI_RESIDUAL(i) v += EPI_TENSOR4(i);
#define EPI_ACT(f) v = vec4(f(v.x), f(v.y), f(v.z), f(v.w));
#define EPI_ACT1(f, i) v = vec4(f(v.x, epi_f[i]), f(v.y, epi_f[i]), f(v.z, epi_f[i]), f(v.w, epi_f[i]));
#define EPI_LANE2(f, i, l) f(v[l], epi_f[i], epi_f[i + 1])
#define EPI_ACT2(f, i) v = vec4(EPI_LANE2(f, i, 0), EPI_LANE2(f, i, 1), EPI_LANE2(f, i, 2), EPI_LANE2(f, i, 3));

vec4 epilogue(vec4 v, int o, int at) {
    EPILOGUE
#ifdef MASK
    for (int l = 0; l < 4; l++)
        v[l] = o + l < EPI_CHANNELS ? v[l] : 0.0;
#endif
    return v;
}
