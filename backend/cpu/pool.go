package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convgl/convgl/backend"
)

// pool is a set of threads that lives as long as its backend. The caller of run is
// thread 0; the others, the workers, wait for the next job: they spin for a while,
// since layers follow each other closely, and then park.
//
// Each thread has a range of a job's parts, always the same one, so that it finds in
// its cache what it left there. When the caller is through with its own and a worker
// is late, it takes parts of that worker's range: a worker that sleeps, or that the
// system has taken off its core, is waited for only while it is in the middle of one.
type pool struct {
	mu      sync.Mutex // one job at a time
	workers []*worker
	exited  sync.WaitGroup
	closed  bool
	procs   atomic.Int32 // GOMAXPROCS, as it was lately
	done    chan struct{}

	_       [64]byte      // what workers look at has a cache line of its own
	posted  atomic.Uint64 // number of the last job, and for how many threads it is
	job     job
	waiting atomic.Uint32 // 1 while the caller is parked
	_       [64]byte
}

// job is what the threads share. A worker may look at it while it is busy.
type job struct {
	fn    func(c *call, part, thread int)
	c     *call
	parts int
}

// worker is a thread but the caller. Its words that the caller looks at in each job
// do not share a cache line with those that it looks at when the worker is late.
type worker struct {
	_      [64]byte
	left   atomic.Uint32 // number of the last job that it was at, once it has left it
	parked atomic.Uint32
	wake   chan struct{}
	_      [64]byte
	// span is the number of a job, whether the worker is at it, and how many parts of
	// its range have been taken. With the number of an earlier job it stands for a
	// range that nobody has looked at.
	span atomic.Uint64
	_    [64]byte
}

const (
	seqShift      = 32
	postedThreads = 1<<32 - 1 // 0 ends the workers

	spanBusy  = 1 << 31
	spanEmpty = 1 << 30 // all parts have been taken
	spanTaken = 1<<30 - 1
)

// A thread that waits looks and pauses (25 to 45 ns on amd64) in turn, for spinTime at
// most. Every spinClock looks it reads the clock and, where there is no processor to
// spare, lets other goroutines run.
const (
	spinTime  = 100 * time.Microsecond
	spinClock = 1 << 7
	spinLate  = 40 // looks until a worker counts as late
)

// newPool starts n−1 workers.
func newPool(n int) *pool {
	p := &pool{done: make(chan struct{}, 1)}
	for i := 1; i < n; i++ {
		p.workers = append(p.workers, &worker{wake: make(chan struct{}, 1)})
	}
	p.posted.Store(1)
	p.count()
	p.exited.Add(n - 1)
	for i, w := range p.workers {
		go p.work(w, i+1)
	}
	return p
}

func (p *pool) threads() int { return len(p.workers) + 1 }

// count notes how many threads can run at once.
func (p *pool) count() int {
	n := runtime.GOMAXPROCS(0)
	p.procs.Store(int32(n))
	return n
}

// run calls fn for every part below parts, on all threads when there is more
// than one part, and returns when all are done. A panic in fn becomes c.err.
func (p *pool) run(fn func(c *call, part, thread int), c *call, parts int) error {
	n := min(parts, p.threads(), int(p.procs.Load()))
	if n < p.threads() && n < parts {
		n = min(parts, p.threads(), p.count())
	}
	j := job{fn: fn, c: c, parts: parts}
	if n <= 1 || parts > spanTaken {
		for part := range parts {
			j.do(part, 0)
		}
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return backend.ErrClosed
	}
	p.job = j
	seq := p.post(n)
	_, hi := share(parts, 0, n)
	for part := range hi {
		j.do(part, 0)
	}
	for i, w := range p.workers[:n-1] {
		if !p.leftSoon(w, seq) {
			j.take(w, seq, i+1, n, 0)
			p.wait(w, seq)
		}
	}
	p.job = job{}
	return nil
}

// post shows the job to n threads and wakes those of them that sleep.
func (p *pool) post(n int) (seq uint32) {
	seq = uint32(p.posted.Load()>>seqShift) + 1
	if seq == 0 { // numbers are about to come again
		seq = 1
		for _, w := range p.workers {
			w.span.Store(0)
			w.left.Store(0)
		}
	}
	p.posted.Store(uint64(seq)<<seqShift | uint64(n))
	for _, w := range p.workers[:n-1] {
		if w.parked.Load() == 1 && w.parked.CompareAndSwap(1, 0) {
			w.wake <- struct{}{}
		}
	}
	return seq
}

// leftSoon waits for a worker as long as one may need that saw the job at once.
func (p *pool) leftSoon(w *worker, seq uint32) bool {
	for range spinLate {
		if w.left.Load() == seq {
			return true
		}
		pause()
	}
	return false
}

// wait returns when a worker, all of whose parts have been taken, is not at the job.
func (p *pool) wait(w *worker, seq uint32) {
	busy := func() bool { return w.left.Load() != seq && w.span.Load()&spanBusy != 0 }
	if p.spin(busy) {
		return
	}
	for busy() {
		p.waiting.Store(1)
		// The worker may have left before it could see waiting.
		if busy() || !p.waiting.CompareAndSwap(1, 0) {
			<-p.done
		}
	}
}

// work is the life of a worker.
func (p *pool) work(w *worker, thread int) {
	defer p.exited.Done()
	for seq := uint32(0); ; {
		posted := p.await(w, seq)
		seq = uint32(posted >> seqShift)
		n := int(posted & postedThreads)
		if n == 0 {
			return
		}
		if thread < n && w.begin(seq) {
			p.job.take(w, seq, thread, n, thread)
			w.left.Store(seq)
			w.span.And(^uint64(spanBusy))
			if p.waiting.Load() == 1 && p.waiting.CompareAndSwap(1, 0) {
				p.done <- struct{}{}
			}
		}
	}
}

// await returns what was posted after job seq.
func (p *pool) await(w *worker, seq uint32) (posted uint64) {
	old := func() bool {
		posted = p.posted.Load()
		return uint32(posted>>seqShift) == seq && posted&postedThreads != 0
	}
	if p.spin(old) {
		return posted
	}
	for old() {
		w.parked.Store(1)
		// A job may have been posted before the poster could see parked.
		if old() || !w.parked.CompareAndSwap(1, 0) {
			<-w.wake
		}
	}
	return posted
}

// begin makes a worker busy, unless all of its range has been taken: then the job may
// be over.
func (w *worker) begin(seq uint32) bool {
	for {
		old := w.span.Load()
		switch age := int32(seq - uint32(old>>seqShift)); {
		case age < 0 || age == 0 && old&spanEmpty != 0:
			return false
		case age == 0 && w.span.CompareAndSwap(old, old|spanBusy),
			age > 0 && w.span.CompareAndSwap(old, uint64(seq)<<seqShift|spanBusy):
			return true
		}
	}
}

// next takes a part of a range of size parts, and returns its number there, or false
// when all have been taken.
func (w *worker) next(seq uint32, size int) (int, bool) {
	for {
		old := w.span.Load()
		span := old
		if uint32(old>>seqShift) != seq {
			span = uint64(seq) << seqShift
		}
		if span&spanEmpty != 0 {
			return 0, false
		}
		taken := int(span & spanTaken)
		span++
		if taken+1 == size {
			span |= spanEmpty
		}
		if w.span.CompareAndSwap(old, span) {
			return taken, true
		}
	}
}

// take does, on a thread, the parts of the i-th of n ranges, w's, until all have been taken.
func (j *job) take(w *worker, seq uint32, i, n, thread int) {
	lo, hi := share(j.parts, i, n)
	for {
		part, ok := w.next(seq, hi-lo)
		if !ok {
			return
		}
		j.do(lo+part, thread)
	}
}

// do does a part. A panic must not keep a thread from the parts that follow: a range
// that is left before its end would look as if the job went on.
func (j *job) do(part, thread int) {
	defer j.c.recover()
	j.fn(j.c, part, thread)
}

// spin looks at a condition for a while and reports whether it has ended.
func (p *pool) spin(on func() bool) bool {
	var start time.Time
	for i := 1; on(); i++ {
		if i%spinClock != 0 {
			pause()
			continue
		}
		if start.IsZero() {
			start = time.Now()
		} else if time.Since(start) > spinTime {
			p.count()
			return false
		}
		if int(p.procs.Load()) <= p.threads() {
			runtime.Gosched()
		}
	}
	return true
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
	p.posted.Store((p.posted.Load()>>seqShift + 1) << seqShift)
	for _, w := range p.workers {
		if w.parked.CompareAndSwap(1, 0) {
			w.wake <- struct{}{}
		}
	}
	p.exited.Wait()
}
