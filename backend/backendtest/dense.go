package backendtest

import (
	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/check"
)

func denseDesc(op backend.Dense, x shape, outputs int) backend.Desc {
	y := append(append(shape{}, x[:len(x)-1]...), outputs)
	in := []backend.TensorDesc{backend.F32(x...), backend.F32(outputs, x[len(x)-1])}
	return desc(op, append(in, operands(op.Bias, op.Epilogue, outputs, y)...)...)
}

func denseProblems(bool) []problem {
	dense := func(name string, op backend.Dense, x shape, outputs int) problem {
		return problem{name: name, d: denseDesc(op, x, outputs)}
	}
	ps := []problem{
		dense("one", backend.Dense{}, shape{1, 1}, 1),
		dense("vector", backend.Dense{Bias: true}, shape{1, 200}, 37),
		dense("wide", backend.Dense{Bias: true}, shape{1, 30}, 301),
		dense("batch", backend.Dense{Bias: true}, shape{9, 65}, 33),
		dense("square", backend.Dense{}, shape{64, 64}, 64),
		dense("long-sum", backend.Dense{}, shape{3, 4608}, 17),
		dense("rank3", backend.Dense{Bias: true}, shape{2, 5, 24}, 10),
		dense("rank4", backend.Dense{}, shape{2, 3, 4, 7}, 6),
		dense("relu", backend.Dense{Bias: true, Epilogue: backend.Epilogue{relu}}, shape{4, 50}, 21),
		dense("residual", backend.Dense{Epilogue: backend.Epilogue{scaleShift, residual, act(backend.Tanh)}}, shape{4, 50}, 21),
		dense("no-rows", backend.Dense{Bias: true}, shape{0, 12}, 5),
	}
	ps[5].fills = check.Fills()
	ps[6].layouts = true
	for _, k := range backend.ActKinds() { // 1.5 is in the domain of every constant
		step := act(k, 1.5, 2)
		ps = append(ps, dense("epilogue-"+k.String(), backend.Dense{Bias: true, Epilogue: backend.Epilogue{step, residual}}, shape{3, 40}, 13))
	}
	return ps
}

func matmulProblems(short bool) []problem {
	mm := func(name string, a, b shape) problem {
		return problem{name: name, d: desc(backend.MatMul{}, backend.F32(a...), backend.F32(b...))}
	}
	ps := []problem{
		mm("matrix", shape{17, 31}, shape{31, 23}),
		mm("square", shape{64, 64}, shape{64, 64}),
		mm("one", shape{1, 1}, shape{1, 1}),
		mm("row", shape{40}, shape{40, 9}),
		mm("column", shape{9, 40}, shape{40}),
		mm("inner", shape{300}, shape{300}),
		mm("outer", shape{12, 1}, shape{1, 15}),
		mm("batched", shape{3, 8, 10}, shape{3, 10, 6}),
		mm("broadcast-a", shape{5, 7}, shape{2, 3, 7, 4}),
		mm("broadcast-both", shape{2, 1, 5, 6}, shape{3, 6, 4}),
		mm("long-sum", shape{5, 4608}, shape{4608, 6}),
		mm("no-sum", shape{3, 0}, shape{0, 4}),
		mm("no-rows", shape{0, 5}, shape{5, 4}),
		{name: "constant-b", d: backend.Desc{Op: backend.MatMul{}, In: []backend.TensorDesc{backend.F32(6, 33), {DType: backend.F32().DType, Shape: shape{33, 20}, Const: true}}}},
	}
	if !short {
		ps = append(ps, mm("tile-1", shape{63, 15}, shape{15, 47}), mm("tile+1", shape{65, 17}, shape{17, 49}))
	}
	for i := range ps {
		switch ps[i].name {
		case "matrix", "long-sum":
			ps[i].fills = check.Fills()
		case "batched":
			ps[i].layouts = true
		}
	}
	return ps
}
