package bench

import (
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
)

// reduceNames are the names of the reductions: ONNX's, in small letters and without
// what all of them begin with.
func reduceNames() (names []string, kinds []backend.ReduceKind) {
	for k := backend.ReduceSum; k <= backend.ReduceSumSquare; k++ {
		names = append(names, strings.ToLower(strings.TrimPrefix(k.String(), "Reduce")))
		kinds = append(kinds, k)
	}
	return names, kinds
}

var reduceForm = form{
	prefix: "reduce", grammar: "sum|mean|max|min|prod|l1|l2|logsum|logsumexp|sumsquare:SHAPE[:axesA,…][:keep]   (all dims without axes)",
	parse: func(s *scanner) (backend.Desc, error) {
		names, kinds := reduceNames()
		kind, err := s.oneOf(names...)
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		d, err := s.unary(nil)
		if err != nil {
			return d, err
		}
		var op backend.Reduce
		for i, n := range names {
			if n == kind {
				op.Fn = kinds[i]
			}
		}
		if s.accept(":axes") {
			if op.Axes, err = s.signed(","); err != nil {
				return d, err
			}
		}
		op.KeepDims = s.accept(":keep")
		d.Op = op
		return d, nil
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Reduce)
		if !ok {
			return "", false
		}
		names, _ := reduceNames()
		text := names[op.Fn] + ":" + formatShape(d.In[0].Shape)
		if len(op.Axes) > 0 {
			text += ":axes" + strings.ReplaceAll(formatShape(op.Axes), "x", ",")
		}
		return text + word(op.KeepDims, ":keep"), true
	},
}

// word is the text where on is set.
func word(on bool, text string) string {
	if on {
		return text
	}
	return ""
}

var (
	argMaxForm = extremumForm("argmax", false)
	argMinForm = extremumForm("argmin", true)
)

func extremumForm(prefix string, least bool) form {
	return form{
		prefix: prefix, grammar: "SHAPE:axis1[:last][:keep]",
		parse: func(s *scanner) (backend.Desc, error) {
			d, err := s.unary(nil)
			if err != nil {
				return d, err
			}
			op := backend.ArgMax{Min: least}
			op.Axis, err = s.axis()
			op.Last = s.accept(":last")
			op.KeepDims = s.accept(":keep")
			d.Op = op
			return d, err
		},
		format: func(d backend.Desc) (string, bool) {
			op, ok := d.Op.(backend.ArgMax)
			if !ok || op.Min != least {
				return "", false
			}
			return fmt.Sprintf("%s:axis%d%s%s", formatShape(d.In[0].Shape), op.Axis, word(op.Last, ":last"), word(op.KeepDims, ":keep")), true
		},
	}
}

var topKForm = form{
	prefix: "topk", grammar: "SHAPE:axis1:k5[:smallest]",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err != nil {
			return d, err
		}
		var op backend.TopK
		if op.Axis, err = s.axis(); err == nil {
			err = s.expect(":k")
		}
		if err != nil {
			return d, err
		}
		op.K, err = s.number()
		op.Smallest = s.accept(":smallest")
		d.Op = op
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.TopK)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s:axis%d:k%d%s", formatShape(d.In[0].Shape), op.Axis, op.K, word(op.Smallest, ":smallest")), true
	},
}

var oneHotForm = form{
	prefix: "onehot", grammar: "INDEX-SHAPE:axis1:depth10",
	parse: func(s *scanner) (backend.Desc, error) {
		index, err := s.shape()
		if err != nil {
			return backend.Desc{}, err
		}
		var op backend.OneHot
		if op.Axis, err = s.axis(); err == nil {
			err = s.expect(":depth")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		op.Depth, err = s.number()
		return backend.Desc{Op: op, In: []backend.TensorDesc{i32(index...)}}, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.OneHot)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s:axis%d:depth%d", formatShape(d.In[0].Shape), op.Axis, op.Depth), true
	},
}
