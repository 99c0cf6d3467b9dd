// Package check decides whether a computed result is right: how inputs are
// filled, what error is allowed, how two results are compared.
//
// # Why not a tolerance
//
// A fixed tolerance misses bugs or cries wolf: rtol=1.3e-6, atol=1e-5 refuses a
// third of the elements of correct float32 sums of 4608 terms, while a dropped
// term of such a sum hides within the worst-case bound three times in four. So
// function and accuracy are decided by different data:
//
//   - [Exact] fill: small integers, with Σ|x||w| ≤ 2²⁴. Every order of summation,
//     with or without FMA, gives the same float32, so results must be equal. Where
//     a division makes that impossible, a quarter of the distance between two
//     possible results is allowed.
//   - The other fills decide accuracy. With B = Σ|x||w| + |b|, u = 2⁻²⁴ and K
//     terms, an error up to 4√K·u·B passes, above it is suspect, and above
//     γ_{K+2}·B = (K+2)u/(1−(K+2)u)·B it fails. Each op has its own B and K.
//
// [Inputs] fills, [Judge] evaluates the reference (and B, by the reference on
// absolute values) and compares. The package takes the reference as a function
// and knows no backend.
package check
