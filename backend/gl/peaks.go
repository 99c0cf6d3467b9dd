//go:build cgo

package gl

import (
	"context"
	"errors"
	"time"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/backend/gl/internal/device"
)

// Peaks implements backend.Prober: the best of several runs of peak_fma.comp and
// peak_copy.comp, by the device's clock.
func (be *Backend) Peaks(ctx context.Context) (backend.Peaks, error) {
	flops, err := be.peakFMA(ctx)
	if err != nil {
		return backend.Peaks{}, err
	}
	bytes, err := be.peakCopy(ctx)
	return backend.Peaks{FLOPS: flops, CopyBytes: bytes}, err
}

// peakFMA grows the number of rounds until a run takes long enough to time.
func (be *Backend) peakFMA(ctx context.Context) (float64, error) {
	const (
		invocations = 1 << 16
		flopsARound = 2 * 4 * 3 * 16 // vec4s, chains, steps of peak_fma.comp
	)
	best := 0.0
	for rounds := 16; ; rounds *= 2 {
		s := step{shader: "peak_fma.comp", bind: []binding{writes(0, output(0))}, uniforms: []uniform{ints(0, rounds)}}
		be.flat(&s, invocations)
		took, err := be.bestTime(ctx, s, nil, invocations*16)
		if err != nil {
			return 0, err
		}
		best = max(best, invocations*flopsARound*float64(rounds)/took.Seconds())
		if took > 20*time.Millisecond || rounds >= 1<<16 {
			return best, nil
		}
	}
}

// peakCopy copies a buffer beyond the reach of caches.
func (be *Backend) peakCopy(ctx context.Context) (float64, error) {
	bytes := int64(64 << 20)
	if !be.dev.Info().Software {
		bytes = 256 << 20
	}
	bytes = min(bytes, be.limits.StorageBytes)
	if be.family == texelFamily {
		bytes = min(bytes, be.limits.Texels*16)
	}
	n := int(bytes / 16)
	s := step{
		shader:   "peak_copy.comp",
		bind:     []binding{reads(0, input(0), device.RGBA32F), writes(1, output(0))},
		uniforms: []uniform{ints(0, n)},
	}
	be.flat(&s, n)
	took, err := be.bestTime(ctx, s, []int64{bytes}, bytes)
	if err != nil {
		return 0, err
	}
	return 2 * float64(bytes) / took.Seconds(), nil
}

// bestTime runs a step on buffers of those sizes, once to warm up and then a few
// times, and returns the least time.
func (be *Backend) bestTime(ctx context.Context, s step, in []int64, out int64) (best time.Duration, err error) {
	flat := func(bytes int64) backend.TensorDesc {
		d := backend.F32(int(bytes / 4))
		d.Layout = backend.Plain
		return d
	}
	p := &plan{be: be, op: "Peaks", desc: backend.Desc{Op: backend.Activation{}}, out: []backend.TensorDesc{flat(out)}}
	for _, n := range in {
		p.in = append(p.in, flat(n))
	}
	p.formats = make([]backend.Format, len(in))
	p.add(s)
	if err := p.finish(&p.steps[0]); err != nil {
		return 0, err
	}
	k, err := p.kernel(ctx, "peak")
	if err != nil {
		return 0, err
	}
	var args backend.Args
	defer func() {
		for _, b := range append(args.In, args.Out...) {
			err = errors.Join(err, b.Close())
		}
		err = errors.Join(err, k.Close())
	}()
	for _, n := range append(in, out) {
		b, err := be.Alloc(n)
		if err != nil {
			return 0, err
		}
		if len(args.In) < len(in) {
			args.In = append(args.In, b)
		} else {
			args.Out = append(args.Out, b)
		}
		// A copy of pages that were never touched would be too fast.
		if err := be.Write(ctx, b, make([]byte, n)); err != nil {
			return 0, err
		}
	}
	for i := range 6 {
		took, err := be.DeviceTime(ctx, func() error { return k.Run(ctx, args) })
		if err != nil {
			return 0, err
		}
		if i == 1 || i > 1 && took < best {
			best = took
		}
	}
	return max(best, time.Nanosecond), nil
}
