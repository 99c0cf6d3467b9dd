package bench

import (
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
)

var convForm = form{
	prefix:  "conv",
	grammar: "[g1]mb2_ic_ih[iw]oc_oh[ow]kh[kw][sh][sw][ph][pw][dh][dw][+bias][+relu…]   (iw: 1-D, id: 3-D)",
	parse: func(s *scanner) (backend.Desc, error) {
		keys, err := s.keys("g oc")
		if err != nil {
			return backend.Desc{}, err
		}
		win, sizes, err := keys.window(false)
		if err != nil {
			return backend.Desc{}, err
		}
		g, ic, oc := keys.get("g", 1), keys.get("ic", -1), keys.get("oc", -1)
		switch {
		case oc < 0:
			return backend.Desc{}, s.want("oc, the output channels")
		case g < 1:
			return backend.Desc{}, keys.fail("g", "1 or more")
		case ic%g != 0:
			return backend.Desc{}, keys.fail("ic", fmt.Sprintf("a multiple of g = %d", g))
		case oc%g != 0:
			return backend.Desc{}, keys.fail("oc", fmt.Sprintf("a multiple of g = %d", g))
		}
		op := backend.Conv{Window: win, Groups: g}
		op.Bias, op.Epilogue, err = s.epilogue()
		if err != nil {
			return backend.Desc{}, err
		}
		d := backend.Desc{Op: op, In: []backend.TensorDesc{
			backend.F32(append([]int{keys.get("mb", 2), ic}, sizes...)...),
			backend.F32(append([]int{oc, ic / g}, win.Kernel...)...),
		}}
		return addOperands(d, op.Bias, op.Epilogue, 1)
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Conv)
		if !ok || len(d.In) < 2 {
			return "", false
		}
		x, w := d.In[0].Shape, d.In[1].Shape
		geo, err := op.Geometry(x, w)
		if err != nil {
			return "", false
		}
		var b strings.Builder
		if g := op.GroupCount(); g > 1 {
			fmt.Fprintf(&b, "g%d", g)
		}
		fmt.Fprintf(&b, "mb%d_ic%d", x[0], x[1])
		writeWindow(&b, geo, padding, fmt.Sprintf("oc%d", w[0]), nil)
		return b.String() + formatEpilogue(op.Bias, op.Epilogue), true
	},
}

// pools are the algorithms of a pool by their names, which are benchdnn's.
var pools = []string{"max", "avg_np", "avg_p"}

var poolForm = form{
	prefix:  "pool",
	grammar: "max|avg_np|avg_p_mb2_ic_ih[iw][oh][ow]kh[kw][sh][sw][ph][pw][dh][dw][eh][ew][_ceil][_idx]   (avg_p: padding counts)",
	parse: func(s *scanner) (backend.Desc, error) {
		kind, err := s.oneOf(pools...)
		if err == nil {
			err = s.expect("_")
		}
		if err != nil {
			return backend.Desc{}, err
		}
		keys, err := s.keys("ceil idx")
		if err != nil {
			return backend.Desc{}, err
		}
		ceil, idx := keys.has("ceil"), keys.has("idx")
		if idx && kind != "max" {
			return backend.Desc{}, keys.fail("idx", "it beside max only")
		}
		win, sizes, err := keys.window(ceil)
		if err != nil {
			return backend.Desc{}, err
		}
		d := backend.Desc{In: []backend.TensorDesc{backend.F32(append([]int{keys.get("mb", 2), keys.get("ic", -1)}, sizes...)...)}}
		if kind == "max" {
			d.Op = backend.MaxPool{Window: win, CeilMode: ceil, Indices: idx}
		} else {
			d.Op = backend.AvgPool{Window: win, CeilMode: ceil, CountIncludePad: kind == "avg_p"}
		}
		return d, nil
	},
	format: func(d backend.Desc) (string, bool) {
		var geo backend.Geometry
		var err error
		kind, words, ceil := "max", "", false
		switch op := d.Op.(type) {
		case backend.MaxPool:
			geo, err = op.Geometry(d.In[0].Shape)
			ceil = op.CeilMode
			if op.Indices {
				words = "_idx"
			}
		case backend.AvgPool:
			geo, err = op.Geometry(d.In[0].Shape)
			ceil = op.CeilMode
			kind = "avg_np"
			if op.CountIncludePad {
				kind = "avg_p"
			}
		default:
			return "", false
		}
		if err != nil {
			return "", false
		}
		var b strings.Builder
		x := d.In[0].Shape
		fmt.Fprintf(&b, "%s_mb%d_ic%d_", kind, x[0], x[1])
		var end []int
		if ceil {
			words = "_ceil" + words
			end = geo.End
		}
		writeWindow(&b, geo, padding, "", end)
		return b.String() + words, true
	},
}

// key is one key of a descriptor with its value.
type key struct{ pos, val int }

// keyed holds the keys of one descriptor.
type keyed struct {
	s      *scanner
	byName map[string]key
}

// keys takes keys with numbers, and words without, until something else comes.
// Those of a window, mb and ic are known; extra lists further ones.
func (s *scanner) keys(extra string) (keyed, error) {
	k := keyed{s, map[string]key{}}
	known := map[string]bool{"mb": true, "ic": true}
	for _, q := range "iokspde" {
		for _, dim := range "dhw" {
			known[string(q)+string(dim)] = true
		}
	}
	for _, name := range strings.Fields(extra) {
		known[name] = true
	}
	for {
		for s.accept("_") {
		}
		start := s.pos
		name := s.letters()
		if name == "" {
			break
		}
		at := key{pos: start}
		_, twice := k.byName[name]
		switch {
		case !known[name]:
			s.pos = start
			return k, s.want("a key: mb, ic, " + strings.ReplaceAll(extra, " ", ", ") + ", or one of i o k s p d e before d, h or w")
		case twice:
			return k, &ParseError{Text: s.text, Pos: start, Got: name + " a second time", Want: "each key once"}
		case name != "ceil" && name != "idx":
			v, err := s.number()
			if err != nil {
				return k, err
			}
			at.val = v
		}
		k.byName[name] = at
	}
	if !k.has("ic") {
		return k, s.want("ic, the input channels")
	}
	return k, nil
}

func (k keyed) has(name string) bool { _, ok := k.byName[name]; return ok }

// get returns the value of a key, or def when it is missing.
func (k keyed) get(name string, def int) int {
	if v, ok := k.byName[name]; ok {
		return v.val
	}
	return def
}

// fail returns the error that a key's value is not what is wanted.
func (k keyed) fail(name, want string) error {
	at := k.byName[name]
	return &ParseError{Text: k.s.text, Pos: at.pos, Got: fmt.Sprintf("%s%d", name, at.val), Want: want}
}

// dimsFrom returns the letters of the spatial dims, outermost first. It fails
// when none has an input size, on a key of a dim that is not there, and when the
// size of the window is missing.
func (k keyed) dimsFrom() (string, error) {
	dims := "dhw"
	for dims != "" && !k.has("i"+dims[:1]) {
		dims = dims[1:]
	}
	if dims == "" {
		return "", k.s.want("an input size: iw (1-D), ih (2-D) or id (3-D)")
	}
	for _, missing := range strings.TrimSuffix("dhw", dims) {
		for _, q := range "okspde" {
			if name := string(q) + string(missing); k.has(name) {
				return "", k.fail(name, fmt.Sprintf("no key of a dim without i%c", missing))
			}
		}
	}
	if !k.has("k" + dims[:1]) {
		return "", k.s.want("k" + dims[:1] + ", the size of the window")
	}
	return dims, nil
}

const unknown = -1 // of a key that is missing

// dimValues holds the values of a dim's keys by their first letter.
type dimValues map[byte]int

// next turns the values of the dim before into those of dim j, and returns the key
// that has the output size.
func (k keyed) next(at dimValues, dims string, j int) (oKey string) {
	own := false // does the dim have a key?
	for _, q := range "iokspde" {
		own = own || k.has(string(q)+dims[j:j+1])
	}
	for _, q := range []byte("ikspde") {
		at[q] = k.get(string(q)+dims[j:j+1], at[q])
	}
	// An output is only copied into a dim that is like the outer one in all.
	oKey = "o" + dims[j:j+1]
	if j == 0 || own {
		at['o'] = k.get(oKey, unknown)
	}
	if !k.has(oKey) {
		oKey = "o" + dims[:1]
	}
	return oKey
}

// window completes the sizes of a window by the rules of Parse, and returns it
// with the spatial sizes of the input.
func (k keyed) window(ceil bool) (win backend.Window, in []int, err error) {
	dims, err := k.dimsFrom()
	if err != nil {
		return win, nil, err
	}
	n := len(dims)
	ends := make([]int, 0, n)
	at := dimValues{'s': 1, 'p': unknown, 'e': unknown}
	for j := range n {
		oKey := k.next(at, dims, j)
		i, o, kernel, stride, dil := at['i'], at['o'], at['k'], at['s'], at['d']+1
		reach := dil*(kernel-1) + 1
		p, e := at['p'], at['e']
		if p == unknown {
			p = 0
			if o != unknown && !ceil {
				p = max((o-1)*stride+reach-i, 0) / 2
			}
		}
		switch {
		case e != unknown:
		case o != unknown && !ceil:
			e = max((o-1)*stride+reach-i-p, 0)
		default:
			e = p
		}
		geo, err := backend.Window{Kernel: []int{kernel}, Strides: []int{stride}, Dilations: []int{dil}, Pads: []int{p, e}}.Geometry("window", []int{i}, ceil)
		if err != nil {
			return win, nil, fmt.Errorf("bench: %q: dim %c: %w", k.s.text, dims[j], err)
		}
		if o != unknown && o != geo.Out[0] {
			want := fmt.Sprintf("o%c%d, as the other keys have it", dims[j], geo.Out[0])
			if o < geo.Out[0] && at['e'] == unknown && !ceil {
				want = fmt.Sprintf("o%c%d or more, as the other keys have it", dims[j], geo.Out[0])
			}
			return win, nil, k.fail(oKey, want)
		}
		if !ceil {
			e = neededEnd(geo, 0)
		}
		in = append(in, i)
		win.Kernel = append(win.Kernel, kernel)
		win.Strides = append(win.Strides, stride)
		win.Dilations = append(win.Dilations, dil)
		win.Pads = append(win.Pads, p)
		ends = append(ends, e)
	}
	win.Pads = append(win.Pads, ends...)
	return win, in, nil
}

// padding is what the windows of dim j take, begin and end together.
func padding(g backend.Geometry, j int) int {
	return max((g.Out[j]-1)*g.Stride[j]+g.Dilation[j]*(g.Kernel[j]-1)+1-g.In[j], 0)
}

// neededEnd is the end padding of dim j that the last window reaches.
func neededEnd(g backend.Geometry, j int) int {
	return max((g.Out[j]-1)*g.Stride[j]+g.Dilation[j]*(g.Kernel[j]-1)+1-g.In[j]-g.Begin[j], 0)
}

// writeWindow writes the spatial keys, with oc between input and output. End is
// nil when the end padding follows from the output; padding is what begin and end
// of a dim have together.
func writeWindow(b *strings.Builder, g backend.Geometry, padding func(backend.Geometry, int) int, oc string, end []int) {
	n := len(g.In)
	dims := "dhw"[3-n:]
	pads := end != nil
	for j := range n {
		pads = pads || g.Begin[j] != 0 || g.Begin[j] != padding(g, j)/2
	}
	dil := make([]int, n)
	for j := range dil {
		dil[j] = g.Dilation[j] - 1
	}
	list := []struct {
		q    byte
		v    []int
		skip int // the value that the outermost dim has when the key is missing
	}{
		{'i', g.In, -1}, {'o', g.Out, -1}, {'k', g.Kernel, -1}, {'s', g.Stride, 1}, {'p', g.Begin, -1}, {'d', dil, 0}, {'e', end, -1},
	}
	own := make([]bool, n) // the dim differs from the outer one
	for _, l := range list {
		for j := 1; j < n && l.v != nil; j++ {
			own[j] = own[j] || l.v[j] != l.v[j-1]
		}
	}
	for _, l := range list {
		if l.q == 'o' {
			b.WriteString(oc)
		}
		if l.v == nil || l.q == 'p' && !pads {
			continue
		}
		last := l.skip
		for j, v := range l.v {
			if v != last || l.q == 'o' && own[j] {
				fmt.Fprintf(b, "%c%c%d", l.q, dims[j], v)
			}
			last = v
		}
	}
}
