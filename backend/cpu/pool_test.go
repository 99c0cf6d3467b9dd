package cpu

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
)

// Every part of every job is done once, by jobs that follow each other at once
// (threads spin) and after a pause (threads park), from many goroutines.
func TestPool(t *testing.T) {
	for _, n := range []int{1, 2, 3, 9} {
		p := newPool(n)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				c := &call{op: "test"}
				done := make([]atomic.Int32, 100)
				for i := range 300 {
					if err := p.run(func(_ *call, part, thread int) {
						if thread < 0 || thread >= n {
							panic("thread")
						}
						done[part].Add(1)
					}, c, len(done)); err != nil || c.err != nil {
						t.Error(err, c.err)
					}
					for j := range done {
						if got := done[j].Load(); got != int32(i+1) {
							t.Errorf("%d threads: part %d was done %d times in %d jobs", n, j, got, i+1)
							return
						}
					}
					if g == 0 && i%100 == 99 {
						time.Sleep(2 * time.Millisecond) // long enough to park
					}
				}
			}()
		}
		wg.Wait()
		p.close()
		p.close()
		if err := p.run(func(*call, int, int) {}, &call{}, 2); n > 1 && !errors.Is(err, backend.ErrClosed) {
			t.Errorf("run after close: %v", err)
		}
	}
}

// A panic in a part is an error of the run, and the pool goes on.
func TestPoolPanic(t *testing.T) {
	p := newPool(2)
	defer p.close()
	for part := range 2 {
		c := &call{op: "Op"}
		if err := p.run(func(_ *call, i, _ int) {
			if i == part {
				panic("boom")
			}
		}, c, 2); err != nil {
			t.Fatal(err)
		}
		if c.err == nil || !strings.Contains(c.err.Error(), "Op: internal error: boom") {
			t.Errorf("error of part %d: %v", part, c.err)
		}
	}
}

// Close ends the workers.
func TestPoolLeak(t *testing.T) {
	before := runtime.NumGoroutine()
	newPool(8).close()
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines after close, %d before", after, before)
	}
}
