package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/convgl/convgl/backend"
)

// pool is a set of threads that lives as long as its backend. The caller of run
// is one of them; the others wait for the next job: they spin for some tens of
// microseconds, since layers follow each other closely, and then park.
type pool struct {
	mu      sync.Mutex // one job at a time
	job     job
	pending atomic.Int32  // workers that have not finished the job
	waiting atomic.Uint32 // 1 while the caller is parked
	done    chan struct{}
	workers []*worker
	exited  sync.WaitGroup
	closed  bool
}

// job is what the threads share: thread t of n does the parts
// [t·parts/n, (t+1)·parts/n).
type job struct {
	fn    func(c *call, part, thread int)
	c     *call
	parts int
}

type worker struct {
	seq    atomic.Int32 // number of jobs posted; the worker runs when it changes
	parked atomic.Uint32
	wake   chan struct{}
	_      [64]byte // keep two workers' words off one cache line
}

// spins is how often a thread looks for work before it parks. Every few looks
// it yields, so that spinning never starves a goroutine that has work.
const (
	spins     = 1 << 13
	spinYield = 1 << 6
)

// newPool starts n−1 workers.
func newPool(n int) *pool {
	p := &pool{done: make(chan struct{}, 1)}
	for i := 1; i < n; i++ {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		p.exited.Add(1)
		go p.work(w, i)
	}
	return p
}

func (p *pool) threads() int { return len(p.workers) + 1 }

// run calls fn for every part below parts, on all threads when there is more
// than one part, and returns when all are done. A panic in fn becomes c.err.
func (p *pool) run(fn func(c *call, part, thread int), c *call, parts int) error {
	j := job{fn: fn, c: c, parts: parts}
	if parts <= 1 || len(p.workers) == 0 {
		j.share(0, 1)
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return backend.ErrClosed
	}
	p.job = j
	p.post()
	j.share(0, p.threads())
	p.wait()
	p.job = job{}
	return nil
}

// post lets every worker see p.job.
func (p *pool) post() {
	p.pending.Store(int32(len(p.workers)))
	for _, w := range p.workers {
		w.seq.Add(1)
		if w.parked.CompareAndSwap(1, 0) {
			w.wake <- struct{}{}
		}
	}
}

// wait returns when all workers have finished.
func (p *pool) wait() {
	if spin(&p.pending, func(n int32) bool { return n == 0 }) {
		return
	}
	for p.pending.Load() != 0 {
		p.waiting.Store(1)
		// The last worker may have finished before it could see waiting.
		if p.pending.Load() == 0 && p.waiting.CompareAndSwap(1, 0) {
			return
		}
		// A worker that was last in the job before, but slow to look at waiting, can
		// send early: hence the loop.
		<-p.done
	}
}

// work is the life of a worker.
func (p *pool) work(w *worker, thread int) {
	defer p.exited.Done()
	for seen := int32(0); ; seen++ {
		w.await(seen)
		if p.job.fn == nil {
			return
		}
		p.job.share(thread, p.threads())
		if p.pending.Add(-1) == 0 && p.waiting.CompareAndSwap(1, 0) {
			p.done <- struct{}{}
		}
	}
}

// await returns when more than seen jobs have been posted.
func (w *worker) await(seen int32) {
	if spin(&w.seq, func(n int32) bool { return n != seen }) {
		return
	}
	for w.seq.Load() == seen {
		w.parked.Store(1)
		// A job may have been posted before the poster could see parked.
		if w.seq.Load() != seen && w.parked.CompareAndSwap(1, 0) {
			return
		}
		// As in wait, a poster that was slow to look at parked can send early.
		<-w.wake
	}
}

// spin looks at v for some tens of microseconds and reports whether it became
// ready.
func spin(v *atomic.Int32, ready func(int32) bool) bool {
	for i := range spins {
		if ready(v.Load()) {
			return true
		}
		if i%spinYield == spinYield-1 {
			runtime.Gosched()
		}
	}
	return false
}

// share does the parts of one thread.
func (j *job) share(thread, threads int) {
	defer func() {
		if r := recover(); r != nil {
			j.c.fail(r)
		}
	}()
	lo, hi := share(j.parts, thread, threads)
	for part := lo; part < hi; part++ {
		j.fn(j.c, part, thread)
	}
}

// share returns the i-th of n ranges that cover [0, total) evenly.
func share(total, i, n int) (lo, hi int) { return total * i / n, total * (i + 1) / n }

// close ends the workers once the job in flight is done.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	p.job = job{} // a job without a function ends a worker
	p.post()
	p.exited.Wait()
}
