package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
)

// Problem is an op with the shapes of its inputs: what is verified or measured.
type Problem struct {
	// Name says where the problem comes from, as "resnet50:conv1"; it may be "".
	Name string
	// Desc is the forward pass. Inputs that are weights are constant, layouts are
	// left to the kernel; only Reorder has outputs that fix theirs.
	Desc backend.Desc
}

// form is how one kind of problem is written.
type form struct {
	prefix  string // before the first colon
	grammar string // one line for people
	parse   func(*scanner) (backend.Desc, error)
	// format writes what stands after the colon. It reports false for a Desc of
	// another form.
	format func(backend.Desc) (string, bool)
}

var forms = []form{
	convForm, convTransposeForm, poolForm, globalPoolForm, denseForm, matMulForm, batchNormForm, activationForm,
	softmaxForm, logSoftmaxForm, binaryForm, whereForm, padForm, reshapeForm, flattenForm, reorderForm,
	adaptivePoolForm, resizeForm, concatForm, transposeForm, sliceForm, expandForm, tileForm,
	groupNormForm, instanceNormForm, layerNormForm, lrnForm,
	gatherForm, resampleForm, maxUnpoolForm,
	reduceForm, argMaxForm, argMinForm, topKForm, oneHotForm,
}

// Forms returns the prefix and a one-line grammar of every kind of problem.
func Forms() (prefixes, grammars []string) {
	for _, f := range forms {
		prefixes = append(prefixes, f.prefix)
		grammars = append(grammars, f.prefix+":"+f.grammar)
	}
	return prefixes, grammars
}

// ParseError reports text that is not a problem.
type ParseError struct {
	Text string
	Pos  int    // byte offset of what is wrong
	Got  string // what stands there, or what follows from it
	Want string // what was expected
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("bench: %q: position %d: got %s, want %s", e.Text, e.Pos, e.Got, e.Want)
}

// Parse reads a problem: a prefix, a colon, what the op needs, and an optional
// name n"…" at the end.
//
//	conv:mb1_ic64ih56oc64oh56kh3ph1          a convolution, as benchdnn writes it
//	conv:g32mb1_ic32ih112oc32oh56kh3sh2ph1   depthwise
//	conv:mb1_ic3ih56oc64kh7sh2ph3+bias+relu  with epilogue
//	convt:mb1_ic64ih28oc32oh56kh4sh2ph1      a transposed convolution: oh is the larger
//	pool:max_mb1_ic64_ih112oh56kh3sh2ph1     also avg_p, avg_np; words ceil, idx
//	globalpool:avg:1x512x7x7                 also max
//	dense:mb8_ic4096oc1000+bias
//	matmul:2x64x128:2x128x32
//	bn:1x64x56x56:eps1e-05
//	gn:1x64x56x56:g32:eps1e-05               group norm; in:SHAPE is instance norm
//	ln:8x197x768:axis-1:eps1e-06
//	lrn:1x96x55x55:size5:alpha0.0001:beta0.75:k2
//	act:relu:1x64x56x56                      also leakyrelu(a), clip(lo,hi), sigmoid, tanh,
//	  elu(a), selu, celu(a), hardsigmoid(a,b), softplus, softsign, silu, hardswish, mish,
//	  gelu, gelutanh, exp, abs, neg, ceil, floor, round, sign, sqrt, reciprocal, log, erf,
//	  thresholdedrelu(a), sin, cos
//	softmax:1x1000:axis1                     also logsoftmax
//	binary:add:1x64x8x8:64x1x1               also sub, mul, div, prelu, max, min, pow, less,
//	  lessorequal, greater, greaterorequal, equal
//	where:1x1x8x8:1x64x8x8:scalar            condition, then, else
//	pad:1x3x8x8:0,0,1,1,0,0,1,1:edge         also reflect, wrap, constant(v)
//	reshape:1x64x7x7:0x-1
//	flatten:1x64x7x7:axis1
//	reorder:1x64x56x56:plain:channels-last/4:float32
//	adaptivepool:avg:1x512x14x14:7x7         also max
//	resize:linear:half_pixel:1x64x28x28:56x56
//	resize:nearest:asymmetric:1x64x28x28:scale2,2
//	concat:1x64x28x28,1x32x28x28:axis1       also :int32 at the end
//	transpose:1x64x28x28:0,2,3,1             reversed without; also :int32
//	gather:1000x64:8x20:axis0                x, index; also :int32
//	resample:1x3x224x224:axis2:448x4         448 elements of 4 terms
//	maxunpool:1x64x28x28:56x56
//	slice:1x64x28x28:0,32,0,0:1,end,end,end  also :STEP,…; end-1 is one before the end
//	expand:64x1x1:1x64x28x28
//	tile:1x64x28x28:1,2,1,1
//	reduce:mean:1x64x28x28:axes2,3:keep      also sum, max, min, prod, l1, l2, logsum,
//	  logsumexp, sumsquare; all dims without axes
//	argmax:1x21x256x256:axis1                also argmin; also :last, :keep
//	topk:8x1000:axis1:k5                     also :smallest
//	onehot:1x256x256:axis1:depth21           the index's shape
//
// Sizes of a window follow benchdnn: keys are mb (2 when missing), g, ic, oc,
// and for each dim d, h and w the input i, output o, kernel k, stride s (1),
// begin padding p and dilation d (0 is none); an underscore may stand between
// any two. The outermost input size given decides the number of spatial dims:
// iw alone is 1-D, ih 2-D, id 3-D. A key that is missing in an inner dim has the
// value of the next outer dim. A missing output follows from the rest. With the
// output given, the end padding is what the last window needs, and a missing
// begin padding is half (rounded down) of what both need; without it both
// paddings are equal. Beyond benchdnn, ed, eh and ew give the end padding, which
// only ceil mode needs. Every number is at most 2³⁰.
//
// In a transposed convolution the pads take away from the output, and what the
// other keys leave over is output padding.
//
// A convolution and dense take +bias, then any of +scaleshift, +residual and
// activations, in that order. A rank-0 shape is written scalar.
//
// It fails with *ParseError, or with the op's error for a problem that is
// written well but cannot be.
func Parse(text string) (Problem, error) {
	body, name, err := cutName(text)
	if err != nil {
		return Problem{}, err
	}
	s := &scanner{text: text, end: len(body)}
	for _, f := range forms {
		if !s.accept(f.prefix + ":") {
			continue
		}
		d, err := f.parse(s)
		if err == nil {
			err = s.finish()
		}
		if err != nil {
			return Problem{}, err
		}
		markWeights(&d)
		if _, err := d.Resolve(); err != nil {
			return Problem{}, fmt.Errorf("bench: %q: %w", text, err)
		}
		return Problem{Name: name, Desc: d}, nil
	}
	prefixes, _ := Forms()
	return Problem{}, s.want("one of " + strings.Join(prefixes, ":, ") + ":")
}

// markWeights promises that the inputs which are parameters are constant.
func markWeights(d *backend.Desc) {
	args, _ := d.Op.Args()
	for i := range d.In {
		d.In[i].Const = i < len(args) && args[i].Weight
	}
}

// String writes the problem in the form that [Parse] reads, with everything left
// out that follows from the rest. A problem that Parse returned is read back
// equal; of a Desc that was made otherwise, the end padding that no window
// reaches is lost.
func (p Problem) String() string {
	for _, f := range forms {
		if s, ok := f.format(p.Desc); ok {
			s = f.prefix + ":" + s
			if p.Name != "" {
				s += `_n"` + p.Name + `"`
			}
			return s
		}
	}
	return fmt.Sprintf("(no text form for %T)", p.Desc.Op)
}

// Kind is the prefix of the text form, as "conv".
func (p Problem) Kind() string {
	kind, _, _ := strings.Cut(p.String(), ":")
	return kind
}

// Bytes is the host memory that the inputs and outputs need.
func (p Problem) Bytes() (int64, error) {
	d, err := p.Desc.Resolve()
	if err != nil {
		return 0, err
	}
	return p.bytes(d), nil
}

func (Problem) bytes(d backend.Desc) int64 {
	var n int64
	for _, t := range slices.Concat(d.In, d.Out) {
		if b := t.Bytes(); n > 1<<62-b {
			return 1 << 62
		} else {
			n += b
		}
	}
	return n
}

// MaxBytes bounds the tensors of a problem that Verify and Perf run, so that a
// slip of the finger is an error and not the end of the machine's memory.
const MaxBytes = 4 << 30

// Runnable fails when the problem needs more than MaxBytes.
func (p Problem) Runnable() error {
	n, err := p.Bytes()
	if err != nil {
		return err
	}
	if n > MaxBytes {
		return fmt.Errorf("bench: %v: its tensors need %d bytes, want at most %d", p, n, int64(MaxBytes))
	}
	return nil
}

// cutName takes a name from the end of text.
func cutName(text string) (body, name string, err error) {
	if !strings.HasSuffix(text, `"`) {
		return text, "", nil
	}
	inner := text[:len(text)-1]
	i := strings.LastIndexByte(inner, '"')
	if i < 1 || inner[i-1] != 'n' {
		return "", "", &ParseError{Text: text, Pos: len(inner), Got: "a quote", Want: `n"name" at the end`}
	}
	name = inner[i+1:]
	if j := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }); j >= 0 {
		return "", "", &ParseError{Text: text, Pos: i + 1 + j, Got: "a control character", Want: "a name without"}
	}
	return strings.TrimSuffix(inner[:i-1], "_"), name, nil
}

// scanner takes tokens from the front of text[pos:end].
type scanner struct {
	text     string
	pos, end int
}

func (s *scanner) rest() string { return s.text[s.pos:s.end] }

func (s *scanner) done() bool { return s.pos >= s.end }

// accept takes the token if it comes next.
func (s *scanner) accept(token string) bool {
	if !strings.HasPrefix(s.rest(), token) {
		return false
	}
	s.pos += len(token)
	return true
}

// expect takes the token, or fails.
func (s *scanner) expect(token string) error {
	if s.accept(token) {
		return nil
	}
	return s.want(fmt.Sprintf("%q", token))
}

// finish fails when something is left.
func (s *scanner) finish() error {
	if s.done() {
		return nil
	}
	return s.want("the end")
}

// want returns the error that something else was expected at pos.
func (s *scanner) want(what string) error {
	got := "the end"
	if r := s.rest(); r != "" {
		got = fmt.Sprintf("%q", r[:min(len(r), 12)])
	}
	return &ParseError{Text: s.text, Pos: s.pos, Got: got, Want: what}
}

// run takes the longest run of bytes that ok accepts.
func (s *scanner) run(ok func(byte) bool) string {
	start := s.pos
	for s.pos < s.end && ok(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos]
}

func (s *scanner) letters() string {
	return s.run(func(c byte) bool { return 'a' <= c && c <= 'z' })
}

// maxNumber bounds every size: the product of two, and the sum of two such
// products, stay within an int64.
const maxNumber = 1 << 30

// number takes decimal digits.
func (s *scanner) number() (int, error) {
	start, n := s.pos, 0
	for _, c := range s.run(func(c byte) bool { return '0' <= c && c <= '9' }) {
		if n = 10*n + int(c-'0'); n > maxNumber {
			return 0, &ParseError{Text: s.text, Pos: start, Got: s.text[start:s.pos], Want: fmt.Sprintf("at most %d", maxNumber)}
		}
	}
	if s.pos == start {
		return 0, s.want("a number")
	}
	return n, nil
}

// oneOf takes the longest of the words that comes next.
func (s *scanner) oneOf(words ...string) (string, error) {
	best := ""
	for _, w := range words {
		if len(w) > len(best) && strings.HasPrefix(s.rest(), w) {
			best = w
		}
	}
	if best == "" {
		return "", s.want("one of " + strings.Join(words, ", "))
	}
	s.pos += len(best)
	return best, nil
}

// IsParseError reports whether err says that text is not a problem or not one
// that can be: the fault is the user's.
func IsParseError(err error) bool {
	var p *ParseError
	var shape *backend.ShapeError
	var attr *backend.AttrError
	return errors.As(err, &p) || errors.As(err, &shape) || errors.As(err, &attr)
}
