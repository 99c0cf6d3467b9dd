package cnn

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/graph"
)

// Initializer fills a new parameter. FanIn is the number of products that an
// output of the layer sums, fanOut the number of outputs that an input goes to
// (both with stride 1, and within a group); r is a stream of the parameter's own. Fill
// may be called by several goroutines at once.
type Initializer interface {
	Fill(w []float32, fanIn, fanOut int, r *rand.Rand)
}

// The initialisers of weights. With σ the standard deviation and a uniform
// distribution over (−b, b):
//
//	HeNormal       σ = √(2/fanIn)
//	HeUniform      b = √(6/fanIn)
//	GlorotNormal   σ = √(2/(fanIn + fanOut))
//	GlorotUniform  b = √(6/(fanIn + fanOut))
//	LeCunNormal    σ = √(1/fanIn)
//
// Auto is HeNormal where a ReLU or one like it follows, and GlorotUniform
// elsewhere; see [Net.Init].
//
// Sources: He et al., Delving Deep into Rectifiers, 2015, equation 10; Glorot and
// Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
// Networks, 2010, equation 16; LeCun et al., Efficient BackProp, 1998, equation 16.
var (
	Auto          Initializer = auto{}
	HeNormal      Initializer = heNormal{}
	HeUniform     Initializer = heUniform{}
	GlorotNormal  Initializer = glorotNormal{}
	GlorotUniform Initializer = glorotUniform{}
	LeCunNormal   Initializer = leCunNormal{}
	Zeros         Initializer = constant(0)
	Ones          Initializer = constant(1)
)

// Constant gives every element the value v.
func Constant(v float32) Initializer { return constant(v) }

// Normal draws from the normal distribution of the given mean and standard
// deviation.
func Normal(mean, deviation float64) Initializer { return normal{mean, deviation} }

// Uniform draws from the uniform distribution over [low, high).
func Uniform(low, high float64) Initializer { return uniform{low, high} }

type (
	auto          struct{}
	heNormal      struct{}
	heUniform     struct{}
	glorotNormal  struct{}
	glorotUniform struct{}
	leCunNormal   struct{}
	constant      float32
	normal        struct{ mean, deviation float64 }
	uniform       struct{ low, high float64 }
)

func (auto) Fill(w []float32, in, out int, r *rand.Rand) { glorotUniform{}.Fill(w, in, out, r) }

func (heNormal) Fill(w []float32, in, _ int, r *rand.Rand) {
	normal{0, math.Sqrt(2 / float64(in))}.Fill(w, 0, 0, r)
}

func (heUniform) Fill(w []float32, in, _ int, r *rand.Rand) { symmetric(w, 6/float64(in), r) }

func (glorotNormal) Fill(w []float32, in, out int, r *rand.Rand) {
	normal{0, math.Sqrt(2 / (float64(in) + float64(out)))}.Fill(w, 0, 0, r)
}

func (glorotUniform) Fill(w []float32, in, out int, r *rand.Rand) {
	symmetric(w, 6/(float64(in)+float64(out)), r)
}

func (leCunNormal) Fill(w []float32, in, _ int, r *rand.Rand) {
	normal{0, math.Sqrt(1 / float64(in))}.Fill(w, 0, 0, r)
}

func (c constant) Fill(w []float32, _, _ int, _ *rand.Rand) {
	for i := range w {
		w[i] = float32(c)
	}
}

func (n normal) Fill(w []float32, _, _ int, r *rand.Rand) {
	for i := range w {
		w[i] = float32(n.mean + n.deviation*r.NormFloat64())
	}
}

func (u uniform) Fill(w []float32, _, _ int, r *rand.Rand) {
	for i := range w {
		w[i] = float32(u.low + (u.high-u.low)*r.Float64())
	}
}

// symmetric draws from (−√b2, √b2).
func symmetric(w []float32, b2 float64, r *rand.Rand) {
	b := math.Sqrt(b2)
	uniform{-b, b}.Fill(w, 0, 0, r)
}

// fans is an initialiser with fans that the shape does not tell.
type fans struct {
	Initializer
	in, out int
}

func (f fans) Fill(w []float32, _, _ int, r *rand.Rand) { f.Initializer.Fill(w, f.in, f.out, r) }

// stream returns the random numbers of a parameter, which depend on nothing but
// the seed and its name.
func stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, name)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// shapeFans returns the fans of weights [out, in, kernel...].
func shapeFans(shape []int) (in, out int) {
	if len(shape) < 2 {
		return 1, 1
	}
	k := 1
	for _, n := range shape[2:] {
		k *= n
	}
	return shape[1] * k, shape[0] * k
}

// chooseInits replaces Auto, now that the ops behind each parameter are known.
func chooseInits(g *graph.Graph, params map[*graph.Value]*entry) {
	users := map[*graph.Value][]*graph.Node{}
	for _, n := range g.Nodes() {
		for _, v := range n.In() {
			users[v] = append(users[v], n)
		}
	}
	next := map[*graph.Value]bool{}
	for v, e := range params {
		choice := GlorotUniform
		for _, n := range users[v] {
			if rectified(n.Out()[0], users, next) {
				choice = HeNormal
			}
		}
		switch f, wrapped := e.init.(fans); {
		case e.init == Auto:
			e.init = choice
		case wrapped && f.Initializer == Auto:
			e.init = fans{choice, f.in, f.out}
		}
	}
}

// rectified reports whether an activation like ReLU comes next behind v; norms,
// sums, pooling and what only moves elements may lie between. It keeps answers in
// known, as many sums in a row have many ways through them.
func rectified(v *graph.Value, users map[*graph.Value][]*graph.Node, known map[*graph.Value]bool) bool {
	if r, ok := known[v]; ok {
		return r
	}
	r := false
	for _, n := range users[v] {
		switch op := n.Op().(type) {
		case backend.Activation:
			r = r || rectifies(op.Act)
		case backend.Binary:
			r = r || op.Fn == backend.PRelu || op.Fn == backend.Add && rectified(n.Out()[0], users, known)
		case backend.BatchNorm, backend.GroupNorm, backend.InstanceNorm, backend.LayerNorm, backend.LRN,
			backend.MaxPool, backend.AvgPool, backend.GlobalPool, backend.AdaptivePool, backend.Pad, graph.Dropout, graph.Identity:
			r = r || rectified(n.Out()[0], users, known)
		}
	}
	known[v] = r
	return r
}

// rectifies reports whether a is near 0 for inputs far below 0 and near x above.
func rectifies(a backend.Act) bool {
	switch a.Kind {
	case backend.Relu, backend.LeakyRelu, backend.Elu, backend.Celu, backend.Silu, backend.HardSwish, backend.Mish, backend.Gelu, backend.GeluTanh:
		return true
	case backend.Clip: // ReLU6
		return a.Alpha == 0
	}
	return false
}
