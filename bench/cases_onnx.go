package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/onnx"
	"github.com/convgl/convgl/tensor"
)

// onnxTolerance is that of ONNX's own runner of its cases. Integers and booleans must
// be equal.
var onnxTolerance = tolerance{Rtol: 1e-3, Atol: 1e-7}

// maxCaseTensors bounds the inputs, and the outputs, of a data set.
const maxCaseTensors = 1 << 10

// readIndex reads dir/index.json: a list of ONNX's cases, each with id, path, ops,
// dtypes and onnxruntime_agrees. In the folder of the path are model.onnx and the
// folders test_data_set_N with input_0.pb, … and output_0.pb, …
func readIndex(dir string) (*Manifest, error) {
	file := filepath.Join(dir, "index.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("bench: cases: %w", err)
	}
	var list []struct {
		ID, Path string
		Ops      []string
		DTypes   []string
		Agrees   *bool `json:"onnxruntime_agrees"`
	}
	m := &Manifest{Dir: dir}
	if err = json.Unmarshal(text, &list); err == nil {
		for _, l := range list {
			c := Case{Name: l.ID, Op: strings.Join(l.Ops, "+"), DTypes: l.DTypes, model: l.Path}
			if l.Agrees != nil && !*l.Agrees {
				c.Note = "ONNX Runtime does not agree: report only"
			}
			m.Cases = append(m.Cases, c)
		}
		err = m.check()
	}
	if err != nil {
		return nil, fmt.Errorf("bench: cases: %s: %w", file, err)
	}
	return m, nil
}

// onnxTrial is a model with data sets.
type onnxTrial struct {
	model *onnx.Model
	sets  []dataSet
}

type dataSet struct {
	in  []*tensor.Tensor
	out []caseOutput
}

// readONNX reads the model and the data sets of a case.
func (c Case) readONNX(dir string) (*onnxTrial, error) {
	dir = filepath.Join(dir, filepath.FromSlash(c.model))
	m, err := onnx.Load(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no folder test_data_set_0", dir)
	}
	slices.Sort(names)
	t := &onnxTrial{model: m}
	for _, name := range names {
		s, err := readDataSet(name)
		if err != nil {
			return nil, err
		}
		if len(names) > 1 {
			for i := range s.out {
				s.out[i].name = filepath.Join(filepath.Base(name), s.out[i].name)
			}
		}
		t.sets = append(t.sets, s)
	}
	return t, nil
}

func readDataSet(dir string) (s dataSet, err error) {
	if s.in, err = readTensors(dir, "input"); err != nil {
		return s, err
	}
	want, err := readTensors(dir, "output")
	if err != nil {
		return s, err
	}
	if len(want) == 0 {
		return s, fmt.Errorf("%s: no output_0.pb", dir)
	}
	for i, t := range want {
		o := caseOutput{name: fmt.Sprintf("output_%d", i), want: t, typed: true}
		if t.DType() == tensor.Float32 {
			o.tol = onnxTolerance
		}
		s.out = append(s.out, o)
	}
	return s, nil
}

// readTensors reads KIND_0.pb, KIND_1.pb and so on.
func readTensors(dir, kind string) (list []*tensor.Tensor, err error) {
	for len(list) < maxCaseTensors {
		t, err := onnx.ReadTensor(filepath.Join(dir, fmt.Sprintf("%s_%d.pb", kind, len(list))))
		if errors.Is(err, fs.ErrNotExist) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return nil, fmt.Errorf("%s: more than %d files %s_N.pb", dir, maxCaseTensors, kind)
}

// run implements trial.
func (o *onnxTrial) run(ctx context.Context, be backend.Backend, settle func([]caseOutput, []*tensor.Tensor) error) (err error) {
	s, err := o.model.Compile(ctx, be)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, set := range o.sets {
		got, err := s.Run(ctx, set.in...)
		if err != nil {
			return err
		}
		if err := settle(set.out, got); err != nil {
			return err
		}
	}
	return nil
}

// ReadCases reads a folder of cases by what it holds: a manifest.json, see
// [ReadManifest], or an index.json of ONNX's own cases.
func ReadCases(dir string) (*Manifest, error) {
	for _, form := range []struct {
		file string
		read func(string) (*Manifest, error)
	}{{"manifest.json", ReadManifest}, {"index.json", readIndex}} {
		if _, err := os.Stat(filepath.Join(dir, form.file)); err == nil {
			return form.read(dir)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("bench: cases: %w", err)
		}
	}
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("bench: cases: %w", err)
	}
	return nil, fmt.Errorf("bench: cases: %s: got neither manifest.json nor index.json: %w", dir, io.ErrUnexpectedEOF)
}
