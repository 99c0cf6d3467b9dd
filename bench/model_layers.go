package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
	"github.com/convgl/convgl/internal/check"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// layerFLOPs is what the reference may compute for the bound of one of many layers.
const layerFLOPs = 3e7

// layers computes a stage node by node on the reference, judges what the targets make
// of the same inputs, and returns the graph's outputs.
func (c ModelConfig) layers(ctx context.Context, stage int, st onnx.Stage) (layers []ModelLayer, out []*tensor.Tensor, err error) {
	if st.Model == nil {
		return nil, nil, nil
	}
	g := st.Model.Graph()
	values := map[*graph.Value]*tensor.Tensor{}
	uses := map[*graph.Value]int{} // that are still to come
	for i, v := range g.Inputs() {
		values[v] = st.Inputs[i]
	}
	for _, n := range g.Nodes() {
		for _, v := range n.In() {
			uses[v]++
		}
	}
	for _, o := range g.Outputs() {
		uses[o.Value]++
	}
	step, end := c.progress(len(g.Nodes()))
	defer end()
	for _, n := range g.Nodes() {
		d := backend.Desc{Op: n.Op()}
		in := make([]*tensor.Tensor, len(n.In()))
		for i, v := range n.In() {
			if in[i] = v.Const(); in[i] == nil {
				in[i] = values[v]
			}
			d.In = append(d.In, backend.TensorDesc{DType: in[i].DType(), Shape: in[i].Shape(), Const: v.Const() != nil})
		}
		l := ModelLayer{Stage: stage, Node: n.Name(), Op: n.Op().Kind()}
		made, err := c.layer(ctx, &l, d, in)
		if err != nil {
			return layers, nil, fmt.Errorf("%s: %w", n.Name(), err)
		}
		layers = append(layers, l)
		for i, v := range n.Out() {
			values[v] = made[i]
		}
		for _, v := range n.In() {
			if uses[v]--; uses[v] == 0 {
				delete(values, v)
			}
		}
		step()
	}
	for _, o := range g.Outputs() {
		if y := o.Value.Const(); y != nil {
			out = append(out, y)
		} else {
			out = append(out, values[o.Value])
		}
	}
	return layers, out, nil
}

// layer judges one node and returns what the reference makes of it.
func (c ModelConfig) layer(ctx context.Context, l *ModelLayer, d backend.Desc, in []*tensor.Tensor) (made []*tensor.Tensor, err error) {
	o, boundErr := newOracle(ctx, c.Ref, d, in, check.Normal, layerFLOPs)
	if boundErr == nil && o.channels == nil {
		made = o.want.Want
	} else if made, err = backend.RunDesc(ctx, c.Ref, backend.DescOf(d.Op, in...), in...); err != nil {
		return nil, err
	}
	l.Shape = made[0].Shape()
	for _, t := range c.Targets {
		v := LayerVerdict{Backend: t.Label, Status: Passed}
		got, err := backend.RunDesc(ctx, t, d, in...)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch {
		case refused(err):
			v.Status, v.Detail = Unsupported, err.Error()
		case err != nil:
			v.Status, v.Detail = Failed, err.Error()
		case boundErr != nil:
			c.withoutBound(&v, got, made, boundErr)
		default:
			v.judge(o.compare(got))
		}
		l.On = append(l.On, v)
	}
	return made, nil
}

// judge takes a judgment in.
func (v *LayerVerdict) judge(r check.Result, err error) {
	if err != nil {
		v.Status, v.Detail = Failed, err.Error()
		return
	}
	v.Status = statusOf(r.Verdict)
	for _, o := range r.Outputs {
		v.Worst = min(max(v.Worst, o.WorstRatio), math.MaxFloat64)
	}
	if r.Verdict != check.Pass {
		v.Detail = r.String()
	}
}

// withoutBound judges an op that has no bound by Tol.
func (c ModelConfig) withoutBound(v *LayerVerdict, got, want []*tensor.Tensor, why error) {
	v.Detail = fmt.Sprintf("judged by %g of the maximum: %v", c.Tol, why)
	for i, y := range got {
		off, err := deviates(y, want[i])
		if err == nil && !(off <= c.Tol) {
			err = fmt.Errorf("differs by %.3g of the maximum", off)
		}
		if err != nil {
			v.Status, v.Detail = Failed, fmt.Sprintf("output %d: %v; %s", i, err, v.Detail)
		}
		v.Worst = max(v.Worst, min(off/c.Tol, math.MaxFloat64))
	}
	if v.Worst != v.Worst {
		v.Worst = math.MaxFloat64
	}
}
