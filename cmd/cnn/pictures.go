package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/internal/regularfile"
	"github.com/convgl/convgl/preprocess"
	"github.com/convgl/convgl/tensor"
)

// picture is a file that may be one, and what has become of it.
type picture struct {
	path   string
	listed bool // found in a folder: what is no picture is skipped
	err    error

	skipped         bool
	x               *tensor.Tensor // the input for it alone
	decode, prepare time.Duration
}

// listPictures returns the files of the arguments in their order. A folder stands for the files
// in it and in its folders, in the order of their names; links to folders are not followed. What
// cannot be read is listed with its error.
func listPictures(args []string) []*picture {
	var list []*picture
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := os.ReadDir(dir) // sorted
		if err != nil {
			list = append(list, &picture{path: dir, err: err})
			return
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			kind := e.Type()
			if kind&fs.ModeSymlink != 0 {
				info, err := os.Stat(path)
				if err != nil || !info.Mode().IsRegular() {
					continue
				}
				kind = info.Mode().Type()
			}
			switch {
			case kind.IsDir():
				walk(path)
			case kind.IsRegular():
				list = append(list, &picture{path: path, listed: true})
			}
		}
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			list = append(list, &picture{path: arg, err: err})
		case info.IsDir():
			walk(arg)
		default:
			list = append(list, &picture{path: arg})
		}
	}
	return list
}

// inFlight bounds the pixels that are decoded at once, about 7 bytes each. A larger
// picture is decoded alone.
const inFlight = 1 << 26

// loadPictures makes inputs of pictures on every core and gives them to use in order, up
// to ahead of them waiting. It ends with the first error of use, or when ctx does.
func loadPictures(ctx context.Context, list []*picture, cfg *preprocess.Config, ahead int, use func(*picture) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()

	type job struct {
		p    *picture
		done chan struct{}
	}
	jobs := make(chan job)
	order := make(chan job, ahead)
	pixels := newBudget(inFlight)
	for range min(runtime.GOMAXPROCS(0), len(list)) {
		workers.Go(func() {
			for j := range jobs {
				j.p.load(ctx, cfg, pixels)
				close(j.done)
			}
		})
	}
	workers.Go(func() {
		defer close(jobs)
		defer close(order)
		for _, p := range list {
			j := job{p, make(chan struct{})}
			for _, to := range []chan job{order, jobs} {
				select {
				case to <- j:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	for j := range order {
		select {
		case <-j.done:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := use(j.p); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// load makes the input of a picture, or says why there is none.
func (p *picture) load(ctx context.Context, cfg *preprocess.Config, pixels *budget) {
	if p.err != nil {
		return
	}
	p.err = p.read(ctx, cfg, pixels)
	if p.listed && errors.Is(p.err, preprocess.ErrNoPicture) {
		p.err, p.skipped = nil, true
		return
	}
	var path *fs.PathError
	if p.err != nil && !errors.As(p.err, &path) { // which names the file itself
		p.err = fmt.Errorf("%s: %w", clean(p.path), p.err)
	}
}

func (p *picture) read(ctx context.Context, cfg *preprocess.Config, pixels *budget) error {
	f, err := regularfile.Open(p.path)
	if err != nil {
		return err
	}
	defer f.Close()
	file, err := preprocess.Open(interruptible{ctx, f})
	if err != nil {
		return err
	}
	n := pixels.take(file.Pixels())
	defer pixels.give(n)
	start := time.Now()
	img, err := file.Decode()
	if err != nil {
		return err
	}
	p.decode = time.Since(start)
	start = time.Now()
	p.x, err = cfg.Tensor(img)
	p.prepare = time.Since(start)
	return err
}

// interruptible ends with the context, so that a large picture keeps nobody waiting.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// budget is a number of which parts are taken and given back.
type budget struct {
	mu          sync.Mutex
	change      sync.Cond
	free, total int
}

func newBudget(n int) *budget {
	b := &budget{free: n, total: n}
	b.change.L = &b.mu
	return b
}

// take waits until n are free, or all for a larger n, and returns what it took.
func (b *budget) take(n int) int {
	n = min(n, b.total)
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.free < n {
		b.change.Wait()
	}
	b.free -= n
	return n
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	b.change.Broadcast()
}

// batch joins inputs of equal shapes to one, with n − len(xs) pictures of zeros at its end.
func batch(xs []*tensor.Tensor, n int) (*tensor.Tensor, error) {
	if n == 1 && len(xs) == 1 {
		return xs[0], nil
	}
	shape := xs[0].Shape().Clone()
	shape[0] = n
	t, err := tensor.New(xs[0].DType(), shape...)
	if err != nil {
		return nil, err
	}
	to := t.Bytes()
	for _, x := range xs {
		to = to[copy(to, x.Bytes()):]
	}
	return t, nil
}

// failures is the end of a command on pictures, of which some failed: a fault of the files, or
// of the network. What stopped the command counts more, and then they are only printed.
func failures(stderr io.Writer, err error, failed []error, total int, network bool) error {
	if err != nil || len(failed) == 0 {
		for _, e := range failed {
			fmt.Fprintln(stderr, e)
		}
		return err
	}
	err = fmt.Errorf("%d of %d pictures failed:\n%w", len(failed), total, errors.Join(failed...))
	if network {
		return err
	}
	return cli.UsageError{Err: err}
}

// skipped tells how many files of folders are no pictures.
func skipped(stderr io.Writer, n int) {
	switch n {
	case 0:
	case 1:
		fmt.Fprintln(stderr, "a file in a folder is no picture and was skipped")
	default:
		fmt.Fprintf(stderr, "%d files in folders are no pictures and were skipped\n", n)
	}
}
