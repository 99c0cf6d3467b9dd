package backend

import "fmt"

// CheckArgs reports whether the buffers of a run fit what a kernel was prepared
// for: their number and their sizes. Backends call it first in Run.
func (k *KernelInfo) CheckArgs(op string, a *Args) error {
	if len(a.In) != len(k.In) || len(a.Out) != len(k.Out) {
		return &ShapeError{Op: op, Arg: "run: buffers", Got: fmt.Sprintf("%d in, %d out", len(a.In), len(a.Out)), Want: fmt.Sprintf("%d in, %d out", len(k.In), len(k.Out))}
	}
	for i, b := range a.In {
		if err := checkBuffer(op, "in", i, b, k.InBytes(i)); err != nil {
			return err
		}
	}
	for i, b := range a.Out {
		if err := checkBuffer(op, "out", i, b, k.OutBytes(i)); err != nil {
			return err
		}
	}
	if k.Workspace > 0 {
		return checkBuffer(op, "workspace", 0, a.Workspace, k.Workspace)
	}
	return nil
}

func checkBuffer(op, what string, i int, b Buffer, want int64) error {
	if b == nil {
		return &ShapeError{Op: op, Arg: fmt.Sprintf("run: %s[%d]", what, i), Got: "nil", Want: fmt.Sprintf("a buffer of %d bytes", want)}
	}
	if b.Bytes() < want {
		return &ShapeError{Op: op, Arg: fmt.Sprintf("run: %s[%d]", what, i), Got: fmt.Sprintf("%d bytes", b.Bytes()), Want: fmt.Sprintf("%d bytes or more", want)}
	}
	return nil
}
