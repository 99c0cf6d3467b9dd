package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// ConformConfig says what to do with a folder of cases.
type ConformConfig struct {
	Targets []Target
	Dump    string // a folder for what was computed; "" is none
}

// Conformance is the outcome of one case on one backend.
type Conformance struct {
	Backend string `json:"backend"`
	Family  string `json:"family"` // the case's op, as "conv2d"
	Case    string `json:"case"`
	// DTypes are the types of a model's tensors, as the folder has them.
	DTypes []string `json:"dtypes,omitempty"`
	Status Status   `json:"status"` // Passed, Failed, Unsupported or Reported
	Detail string   `json:"detail,omitempty"`
	// Reason is why a case is Unsupported, without the names of files, nodes and values,
	// so that cases can be counted by it.
	Reason string `json:"reason,omitempty"`
}

// Conform runs the cases of a folder, forward only, on every target and holds the
// outputs against the folder's tensors: |got − want| ≤ atol + rtol·|want|, NaN
// where NaN is wanted, positions of maxima equal. Emit gets each outcome.
//
// A case whose kind, attributes or tensors are not known is Unsupported; so is
// one that the backend has no kernel for. A case that says "report only" is
// Reported when it differs. Conform itself fails when ctx is done, or a file
// cannot be written.
func Conform(ctx context.Context, c ConformConfig, m *Manifest, emit func(Conformance) error) error {
	for _, k := range m.Cases {
		trial, readErr := k.trial(m.Dir)
		for _, t := range c.Targets {
			r := Conformance{Backend: t.Label, Family: k.Op, Case: k.Name, DTypes: k.DTypes, Status: Passed}
			err := readErr
			if err == nil {
				err = trial.run(ctx, t, func(want []caseOutput, got []*tensor.Tensor) error { return c.settle(t, k, want, got) })
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			var write *writeError
			switch {
			case err == nil:
			case errors.As(err, &write):
				return err
			case refused(err):
				r.Status, r.Detail, r.Reason = Unsupported, err.Error(), k.reason(err)
			case k.ReportOnly():
				r.Status, r.Detail = Reported, err.Error()
			default:
				r.Status, r.Detail = Failed, err.Error()
			}
			if err := emit(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// trial is a case that is ready for any backend.
type trial interface {
	// run computes the case, and hands the outputs of each data set to settle.
	run(ctx context.Context, be backend.Backend, settle func([]caseOutput, []*tensor.Tensor) error) error
}

// trial reads the case. An error that wraps errors.ErrUnsupported is a case that is not
// understood.
func (c Case) trial(dir string) (trial, error) {
	if c.model != "" {
		return c.readONNX(dir)
	}
	return c.plan(dir)
}

// reason shortens the error of an unsupported case to what others may share.
func (c Case) reason(err error) string {
	if c.model == "" {
		return err.Error()
	}
	var list *onnx.UnsupportedError
	if errors.As(err, &list) {
		var reasons []string
		for _, n := range list.Nodes {
			addOnce(&reasons, n.Op+": "+n.Reason)
		}
		return strings.Join(reasons, "; ")
	}
	// What is wrapped first says where, what is wrapped last what.
	for {
		next := errors.Unwrap(err)
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			if i := slices.IndexFunc(joined.Unwrap(), refused); i >= 0 {
				next = joined.Unwrap()[i]
			}
		}
		if next == nil || next == errors.ErrUnsupported {
			return err.Error()
		}
		err = next
	}
}

// writeError is a fault of the dump, which ends the command.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// settle dumps the outputs, and compares them.
func (c ConformConfig) settle(t Target, k Case, want []caseOutput, got []*tensor.Tensor) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d outputs, want %d", len(got), len(want))
	}
	var errs []error
	for i, o := range want {
		y := got[i]
		var err error
		if o.convert != nil {
			y, err = o.convert(y)
		}
		if err == nil && !o.typed {
			y, err = cast(y, o.want.DType())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.name, err))
			continue
		}
		if c.Dump != "" {
			file := filepath.Join(c.Dump, strings.NewReplacer("/", "-", ":", "-").Replace(t.Label), filepath.FromSlash(k.Name), o.name+".npy")
			err := os.MkdirAll(filepath.Dir(file), 0o777)
			if err == nil {
				err = tensor.SaveNPY(file, y)
			}
			if err != nil {
				return &writeError{fmt.Errorf("bench: dump: %w", err)}
			}
		}
		if err := o.differs(y); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.name, err))
		}
	}
	return errors.Join(errs...)
}

// differs fails when got is not what the case wants.
func (o caseOutput) differs(got *tensor.Tensor) error {
	if !got.Shape().Equal(o.want.Shape()) {
		return fmt.Errorf("shape %v, want %v", got.Shape(), o.want.Shape())
	}
	if got.DType() != o.want.DType() {
		return fmt.Errorf("type %v, want %v", got.DType(), o.want.DType())
	}
	g, w := float64s(got), float64s(o.want)
	worst, at, count := 0.0, -1, 0
	for i := range w {
		off := math.Abs(g[i] - w[i])
		if g[i] == w[i] || g[i] != g[i] && w[i] != w[i] {
			continue
		}
		if limit := o.tol.Atol + o.tol.Rtol*math.Abs(w[i]); off <= limit && !math.IsInf(limit, 0) {
			continue
		}
		count++
		if at < 0 || off > worst || off != off {
			worst, at = off, i
		}
	}
	if at < 0 && o.want.DType() == tensor.Int64 && o.tol == (tolerance{}) && !got.Equal(o.want) {
		return errors.New("elements beyond 2⁵³ differ")
	}
	if at < 0 {
		return nil
	}
	return fmt.Errorf("%d of %d elements differ by more than %g + %g·|want|, most at %s: got %v, want %v", count, len(w), o.tol.Atol, o.tol.Rtol, coordinates(at, o.want.Shape()), g[at], w[at])
}

// coordinates returns the position of element i, as "[0,3,1,2]".
func coordinates(i int, s tensor.Shape) string {
	at := make(tensor.Shape, len(s))
	for k := len(s) - 1; k >= 0; k-- {
		at[k] = i % s[k]
		i /= s[k]
	}
	return at.String()
}

// float64s returns the elements as float64.
func float64s(t *tensor.Tensor) []float64 {
	v := make([]float64, t.Size())
	switch t.DType() {
	case tensor.Float64:
		fill[float64](v, t)
	case tensor.Float32:
		fill[float32](v, t)
	case tensor.Int32:
		fill[int32](v, t)
	case tensor.Int64:
		fill[int64](v, t)
	case tensor.Uint8:
		fill[uint8](v, t)
	case tensor.Bool:
		fill[float32](v, t.AsFloat32())
	}
	return v
}

func fill[T tensor.Number](v []float64, t *tensor.Tensor) {
	d, _ := tensor.Data[T](t) // T is the tensor's
	for i, x := range d {
		v[i] = float64(x)
	}
}

// cast returns t with elements of another type, in which a case has its tensors.
func cast(t *tensor.Tensor, to tensor.DType) (*tensor.Tensor, error) {
	if t.DType() == to {
		return t, nil
	}
	c, err := tensor.New(to, t.Shape()...)
	if err != nil {
		return nil, err
	}
	v := float64s(t)
	switch to {
	case tensor.Float64:
		pour[float64](c, v)
	case tensor.Float32:
		pour[float32](c, v)
	case tensor.Int64:
		pour[int64](c, v)
	case tensor.Int32:
		pour[int32](c, v)
	default:
		return nil, fmt.Errorf("bench: the case wants %v, the op gives %v", to, t.DType())
	}
	return c, nil
}

func pour[T tensor.Number](t *tensor.Tensor, v []float64) {
	d, _ := tensor.Data[T](t) // T is the tensor's
	for i, x := range v {
		d[i] = T(x)
	}
}

// Tally counts the outcomes of one family on one backend.
type Tally struct {
	Backend     string `json:"backend"`
	Family      string `json:"family"`
	Passed      int    `json:"passed"`
	Failed      int    `json:"failed"`
	Unsupported int    `json:"unsupported"`
	Reported    int    `json:"reported"`
}

// Tallies counts outcomes by family and backend, in the order of the families'
// names and, within one, of the backends' appearance.
func Tallies(rs []Conformance) []Tally {
	var ts []Tally
	var order []string
	for _, r := range rs {
		if !slices.Contains(order, r.Backend) {
			order = append(order, r.Backend)
		}
		i := slices.IndexFunc(ts, func(t Tally) bool { return t.Backend == r.Backend && t.Family == r.Family })
		if i < 0 {
			i = len(ts)
			ts = append(ts, Tally{Backend: r.Backend, Family: r.Family})
		}
		ts[i].count(r.Status)
	}
	slices.SortStableFunc(ts, func(a, b Tally) int {
		if c := strings.Compare(a.Family, b.Family); c != 0 {
			return c
		}
		return slices.Index(order, a.Backend) - slices.Index(order, b.Backend)
	})
	return ts
}

func (t *Tally) count(s Status) {
	switch s {
	case Passed:
		t.Passed++
	case Unsupported:
		t.Unsupported++
	case Reported:
		t.Reported++
	default:
		t.Failed++
	}
}
