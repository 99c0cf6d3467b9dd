package graph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/tensor"
)

// Plan is a model made ready for one set of input shapes: the kernels in order,
// the layout of every value and its place in one arena.
type Plan struct {
	name     string
	shapes   []tensor.Shape // of the inputs
	in, out  []location
	outs     []Output
	steps    []instruction
	kernels  []backend.Kernel
	stores   []*storage
	cost     backend.Cost
	madds    int64
	reorders int

	arena, peak, total int64

	pool arenas
	refs int  // runs in progress; guarded by the model
	dead bool // evicted: closed with the last run
}

// Arena returns the bytes of memory that one run needs beside the weights.
func (p *Plan) Arena() int64 { return p.arena }

// Peak returns the most bytes that are live at once: no arrangement could do with
// less.
func (p *Plan) Peak() int64 { return p.peak }

// Total returns the bytes that all values would need without sharing.
func (p *Plan) Total() int64 { return p.total }

// Reorders returns how many steps only change a layout.
func (p *Plan) Reorders() int { return p.reorders }

// Cost returns the nominal work of a run.
func (p *Plan) Cost() backend.Cost { return p.cost }

// MultiplyAdds returns those of a run, as [backend.MultiplyAdds] counts them.
func (p *Plan) MultiplyAdds() int64 { return p.madds }

// Steps returns the number of kernels that a run enqueues.
func (p *Plan) Steps() int { return len(p.steps) }

// Inputs returns the shapes for which the plan was made.
func (p *Plan) Inputs() []tensor.Shape { return p.shapes }

// String lists the plan, one step a line:
//
//	plan lenet x[1,1,28,28]
//	 0 conv1 Conv{…} indirect-gemm x@0 -> [1,6,28,28] channels-last @3136
//	arena 22.1 KiB (peak 22.1 KiB, without sharing 55.0 KiB), 2 reorders, 0.8 MFLOP
//
// A value is shown with its offset in the arena, a constant as "const", and an
// output that overwrites an input with "in place".
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan %s", p.name)
	for i, s := range p.shapes {
		fmt.Fprintf(&b, " %s%v@%d", p.in[i].at.name, s, p.in[i].at.offset)
	}
	b.WriteByte('\n')
	for i, s := range p.steps {
		info := s.kernel.Info()
		fmt.Fprintf(&b, "%3d %s %s %s", i, s.name, opString(s.op), info.Algorithm)
		for j, o := range s.in {
			switch {
			case o.at != nil:
				fmt.Fprintf(&b, " @%d", o.at.offset)
			case info.Formats[j] != nil:
				fmt.Fprintf(&b, " const(%v)", info.Formats[j])
			default:
				b.WriteString(" const")
			}
		}
		b.WriteString(" ->")
		for j, o := range s.out {
			fmt.Fprintf(&b, " %v %v @%d", info.Out[j].Shape, info.Out[j].Layout, o.offset)
			if o.inPlace {
				b.WriteString(" in place")
			}
		}
		if s.workspace != nil {
			fmt.Fprintf(&b, ", workspace %s @%d", bytesString(s.workspace.bytes), s.workspace.offset)
		}
		b.WriteByte('\n')
	}
	for i, o := range p.outs {
		if p.out[i].at == nil {
			fmt.Fprintf(&b, "out %s %v const\n", o.Name, p.out[i].desc.Shape)
			continue
		}
		fmt.Fprintf(&b, "out %s %v @%d\n", o.Name, p.out[i].desc.Shape, p.out[i].at.offset)
	}
	fmt.Fprintf(&b, "arena %s (peak %s, without sharing %s), %d reorders, %.1f MFLOP\n",
		bytesString(p.arena), bytesString(p.peak), bytesString(p.total), p.reorders, float64(p.cost.FLOPs)/1e6)
	return b.String()
}

func bytesString(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// close releases kernels and arenas.
func (p *Plan) close() error {
	errs := []error{p.pool.close()}
	for _, k := range p.kernels {
		errs = append(errs, k.Close())
	}
	p.kernels = nil
	return errors.Join(errs...)
}
