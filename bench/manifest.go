package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/convgl/convgl/tensor"
)

// Manifest is a folder of cases with the outputs that somebody else computed.
type Manifest struct {
	Dir   string
	Cases []Case
}

// Case is one op, or a small ONNX model, with inputs and wanted outputs in files.
type Case struct {
	Name    string
	Op      string                     // kind, as "conv2d"; the ops of a model, as "Relu"
	Attrs   map[string]json.RawMessage // attributes
	Tensors map[string]caseFile        // inputs, outputs and gradients by name
	Tol     tolerances
	Layout  string // what the dims of x are, as "NCHW"
	Note    string
	DTypes  []string // of a model's tensors

	model string // the folder of a model, with slashes; "" for an op
}

type caseFile struct {
	File  string // relative to the manifest
	Shape tensor.Shape
	DType string
}

// tolerance allows |got − want| ≤ Atol + Rtol·|want|.
type tolerance struct{ Rtol, Atol float64 }

// tolerances are one for all tensors and those of single ones.
type tolerances struct {
	tolerance
	own map[string]tolerance
}

// UnmarshalJSON reads {"rtol":…, "atol":…, "gx":{"rtol":…, "atol":…}}.
func (t *tolerances) UnmarshalJSON(text []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	t.own = map[string]tolerance{}
	for name, v := range all {
		var err error
		switch name {
		case "rtol":
			err = json.Unmarshal(v, &t.Rtol)
		case "atol":
			err = json.Unmarshal(v, &t.Atol)
		default:
			var one tolerance
			err = json.Unmarshal(v, &one)
			t.own[name] = one
		}
		if err != nil {
			return fmt.Errorf("tol: %s: %w", name, err)
		}
	}
	return nil
}

func (t tolerances) of(name string) tolerance {
	if own, ok := t.own[name]; ok {
		return own
	}
	return t.tolerance
}

// noteTolerance is for cases that state none: sums of a few hundred products of
// numbers near 1, in float32.
var noteTolerance = tolerance{Rtol: 1e-5, Atol: 1e-5}

// ReadManifest reads dir/manifest.json, in one of two forms. An object with
// "cases" has in each case name, op, attrs, tensors (file, shape, dtype by name),
// tol, layout and note. A list is that of the course note's functions, where the
// tensors of a case are the files input.npy, filters.npy and output.npy in the
// folder of its name.
func ReadManifest(dir string) (*Manifest, error) {
	file := filepath.Join(dir, "manifest.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("bench: cases: %w", err)
	}
	m := &Manifest{Dir: dir}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		m.Cases, err = noteCases(text)
	} else {
		err = unmarshal(text, &m.Cases)
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, fmt.Errorf("bench: cases: %s: %w", file, err)
	}
	return m, nil
}

// unmarshal reads the cases of the form with an object.
func unmarshal(text []byte, cases *[]Case) error {
	var all struct{ Cases *[]Case }
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	if all.Cases == nil {
		return fmt.Errorf("no \"cases\" in it")
	}
	*cases = *all.Cases
	return nil
}

func noteCases(text []byte) ([]Case, error) {
	var list []struct {
		Name, Op string
		Attrs    map[string]json.RawMessage
		Shapes   map[string]tensor.Shape
		DTypes   map[string]string
		Tol      *tolerances
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	var cases []Case
	for _, l := range list {
		c := Case{Name: l.Name, Op: l.Op, Attrs: l.Attrs, Tensors: map[string]caseFile{}, Layout: "note"}
		for name, shape := range l.Shapes {
			c.Tensors[name] = caseFile{File: l.Name + "/" + name + ".npy", Shape: shape, DType: l.DTypes[name]}
		}
		c.Tol.tolerance = noteTolerance
		if l.Op == "max_pooling_2d" {
			c.Tol.tolerance = tolerance{}
		}
		if l.Tol != nil {
			c.Tol = *l.Tol
		}
		// In this form the note is an attribute, and one attribute explains the layout.
		if err := json.Unmarshal(orNull(c.Attrs["note"]), &c.Note); err != nil {
			return nil, fmt.Errorf("%s: note: %w", l.Name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func orNull(v json.RawMessage) json.RawMessage {
	if v == nil {
		return json.RawMessage("null")
	}
	return v
}

// check refuses names that would read or write outside of a folder.
func (m *Manifest) check() error {
	seen := map[string]bool{}
	for i, c := range m.Cases {
		separators := `/\`
		if c.model != "" {
			separators = `\` // ONNX's names are paths
			if !filepath.IsLocal(filepath.FromSlash(c.model)) {
				return fmt.Errorf("case %d: path %q is outside of the folder", i, c.model)
			}
		}
		if c.Op == "" || c.Name == "" || !filepath.IsLocal(c.Name) || strings.ContainsAny(c.Name, separators) {
			return fmt.Errorf("case %d: name %q, op %q: want a plain name and an op", i, c.Name, c.Op)
		}
		if seen[c.Name] {
			return fmt.Errorf("case %d: name %q comes twice", i, c.Name)
		}
		seen[c.Name] = true
		for name, t := range c.Tensors {
			if !filepath.IsLocal(filepath.FromSlash(t.File)) {
				return fmt.Errorf("%s: %s: file %q is outside of the folder", c.Name, name, t.File)
			}
			if strings.ContainsAny(name, `/\`) || !filepath.IsLocal(name) {
				return fmt.Errorf("%s: tensor name %q: want a plain name", c.Name, name)
			}
		}
	}
	if len(m.Cases) == 0 {
		return fmt.Errorf("no case in it: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

// ReportOnly reports whether the case says that there is more than one right
// answer.
func (c Case) ReportOnly() bool { return strings.Contains(c.Note, "report only") }

// load reads a tensor of the case, and holds it against what the manifest says.
func (c Case) load(dir, name string) (*tensor.Tensor, error) {
	f, ok := c.Tensors[name]
	if !ok {
		return nil, fmt.Errorf("tensor %q is missing", name)
	}
	t, err := tensor.LoadNPY(filepath.Join(dir, filepath.FromSlash(f.File)))
	if err != nil {
		return nil, err
	}
	if f.Shape != nil && !t.Shape().Equal(f.Shape) || f.DType != "" && t.DType().String() != f.DType {
		return nil, fmt.Errorf("%s: file %s has %v%v, the manifest says %s%v", name, f.File, t.DType(), t.Shape(), f.DType, f.Shape)
	}
	return t, nil
}
