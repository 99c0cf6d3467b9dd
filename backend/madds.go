package backend

// MultiplyAdds returns the multiply-adds of an op, padded positions included, by
// which networks are usually compared:
//
//	N·O·out·(C/G)·kernel for a convolution, N·C·in·(O/G)·kernel for a transposed one,
//	N·K·O for a Dense and, with a K of its own, for a product of matrices; 0 for others
//
// Biases and epilogues are none. The descriptors have sizes, as those of [Op] Cost.
func MultiplyAdds(op Op, in, out []TensorDesc) int64 {
	switch o := op.(type) {
	case Conv:
		o.Bias, o.Epilogue = false, nil
		op = o
	case ConvTranspose:
		o.Bias, o.Epilogue = false, nil
		op = o
	case Dense:
		o.Bias, o.Epilogue = false, nil
		op = o
	case MatMul:
	default:
		return 0
	}
	return op.Cost(in[:2], out).FLOPs / 2
}
