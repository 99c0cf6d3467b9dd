package cpu

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convgl/convgl/backend"
)

// processors lets n threads run at once for the time of a test.
func processors(t *testing.T, n int) {
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// Every part of every job is done once, by jobs that follow each other at once
// (threads spin) and after a pause (threads park), from many goroutines, with fewer
// parts than threads and more, on as many processors as threads and fewer.
func TestPool(t *testing.T) {
	for _, procs := range []int{1, 2, 9} {
		processors(t, procs)
		for _, n := range []int{1, 2, 3, 9} {
			p := newPool(n)
			var wg sync.WaitGroup
			for g := range 4 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					c := &call{op: "test"}
					done := make([]atomic.Int32, []int{2, 5, 17, 100}[g])
					for i := range 200 {
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
								t.Errorf("%d threads, %d processors: part %d was done %d times in %d jobs", n, procs, j, got, i+1)
								return
							}
						}
						if g == 0 && i%50 == 49 {
							time.Sleep(2 * time.Millisecond) // long enough to park
						}
					}
				}()
			}
			wg.Wait()
			p.close()
			p.close()
			if err := p.run(func(*call, int, int) {}, &call{}, 2); min(n, procs) > 1 && !errors.Is(err, backend.ErrClosed) {
				t.Errorf("run after close: %v", err)
			}
		}
	}
}

// No two parts run on one thread at once, as they share its scratch memory.
func TestPoolThreadsAreExclusive(t *testing.T) {
	processors(t, 4)
	p := newPool(4)
	defer p.close()
	var busy [4]atomic.Int32
	c := &call{op: "test"}
	for range 500 {
		if err := p.run(func(_ *call, part, thread int) {
			if !busy[thread].CompareAndSwap(0, 1) {
				panic("a thread does two parts")
			}
			for range part % 7 {
				pause()
			}
			busy[thread].Store(0)
		}, c, 40); err != nil || c.err != nil {
			t.Fatal(err, c.err)
		}
	}
}

// A worker that stops in the middle of a part holds up that part alone.
func TestPoolHelpsLateWorkers(t *testing.T) {
	processors(t, 2)
	p := newPool(2)
	defer p.close()
	const parts = 8
	for start, tries := time.Now(), 0; time.Since(start) < 30*time.Second; tries++ {
		var others atomic.Int32
		var stopped atomic.Bool
		c := &call{op: "test"}
		if err := p.run(func(_ *call, part, thread int) {
			if thread == 0 && part < parts/2 { // give the worker time to come
				for range 40 {
					pause()
				}
			}
			if thread == 1 && stopped.CompareAndSwap(false, true) {
				for others.Load() < parts-1 {
					runtime.Gosched()
				}
				return
			}
			others.Add(1)
		}, c, parts); err != nil || c.err != nil {
			t.Fatal(err, c.err)
		}
		if stopped.Load() {
			t.Logf("the worker came in job %d", tries)
			return
		}
	}
	t.Error("the worker never took a part")
}

// Jobs allocate nothing; a run of the test program may, here and there.
func TestPoolAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	processors(t, 2)
	p := newPool(2)
	defer p.close()
	c := &call{op: "test"}
	fn := func(*call, int, int) {}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const jobs = 10000
	for range jobs {
		if err := p.run(fn, c, 2); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > jobs/10 {
		t.Errorf("%d jobs allocate %d times", jobs, n)
	}
}

// A worker that the caller waits for longer than it spins wakes it.
func TestPoolCallerParks(t *testing.T) {
	processors(t, 2)
	p := newPool(2)
	defer p.close()
	for range 50 {
		var done atomic.Int32
		c := &call{op: "test"}
		if err := p.run(func(_ *call, _, thread int) {
			time.Sleep(time.Duration(1+thread) * time.Millisecond)
			done.Add(1)
		}, c, 2); err != nil || c.err != nil || done.Load() != 2 {
			t.Fatal(err, c.err, done.Load())
		}
	}
}

// The numbers of jobs may come again: what is left of old ones is not taken for new.
func TestPoolNumbersWrap(t *testing.T) {
	processors(t, 3)
	p := newPool(3)
	defer p.close()
	c := &call{op: "test"}
	count := func() {
		t.Helper()
		for range 10 {
			var done [7]atomic.Int32
			if err := p.run(func(_ *call, part, _ int) { done[part].Add(1) }, c, len(done)); err != nil || c.err != nil {
				t.Fatal(err, c.err)
			}
			for i := range done {
				if n := done[i].Load(); n != 1 {
					t.Fatalf("job %d: part %d was done %d times", p.posted.Load()>>seqShift, i, n)
				}
			}
		}
	}
	count()
	p.posted.Store(uint64(math.MaxUint32-4)<<seqShift | 1)
	count()
	if n := p.posted.Load() >> seqShift; n > 10 {
		t.Errorf("the last job has number %d, want a small one", n)
	}
}

// A panic in a part is an error of the run, and the pool goes on.
func TestPoolPanic(t *testing.T) {
	processors(t, 2)
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
	for range 3000 { // whoever takes them
		c := &call{op: "Op"}
		if err := p.run(func(*call, int, int) { panic("boom") }, c, 9); err != nil || c.err == nil {
			t.Fatal(err, c.err)
		}
		c = &call{op: "Op"}
		if err := p.run(func(*call, int, int) {}, c, 9); err != nil || c.err != nil {
			t.Fatal(err, c.err)
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

// What it costs to share a job out: parts that do nothing, and such that take so many
// multiply-adds (a microsecond is some 7000 of generic ones).
func BenchmarkThreads(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, n := range []int{0, 1000, 10000} {
			b.Run(fmt.Sprintf("threads=%d/steps=%d", threads, n), func(b *testing.B) {
				p := newPool(threads)
				defer p.close()
				c := &call{op: "benchmark"}
				fn := func(*call, int, int) { peakGeneric(n / peakGenericSteps) }
				for b.Loop() {
					if err := p.run(fn, c, 2); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// What a run costs beside the work: one part, which does nothing.
func BenchmarkRun(b *testing.B) {
	be := open(b, "cpu", backend.WithThreads(1))
	inst, err := backend.NewInstance(ctx, be, backend.Desc{Op: backend.Activation{}, In: []backend.TensorDesc{backend.F32(1)}})
	if err != nil {
		b.Fatal(err)
	}
	defer inst.Close()
	b.ReportAllocs()
	for b.Loop() {
		if err := inst.Run(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
