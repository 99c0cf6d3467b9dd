package bench

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
)

// Workload is a row of the table that engines are compared by: a layer with a
// cubic window, or a network of which the sizes are those of its picture.
type Workload struct {
	Kind, Name                             string
	Cin, D, H, W, Cout, K, S, Pads, Groups int
}

var workloadColumns = []string{"kind", "name", "Cin", "D", "H", "W", "Cout", "k", "s", "p", "groups"}

//go:embed testdata/layers.tsv
var layers []byte

// ReadWorkloads reads a table: a row a line, eleven columns (kind, name, Cin, D,
// H, W, Cout, k, s, p, groups) with tabs between, # comments. The name "layers" is
// that of a built-in one, where there is no such file.
func ReadWorkloads(file string) ([]Workload, error) {
	f, err := os.Open(file)
	if file == "layers" && errors.Is(err, fs.ErrNotExist) {
		return readWorkloads(bytes.NewReader(layers))
	}
	if err != nil {
		return nil, fmt.Errorf("bench: workloads: %w", err)
	}
	defer f.Close()
	ws, err := readWorkloads(f)
	if err != nil {
		if path := (*fs.PathError)(nil); errors.As(err, &path) { // it names the file
			return nil, fmt.Errorf("bench: workloads: %w", err)
		}
		return nil, fmt.Errorf("bench: workloads: %s:%w", file, err)
	}
	if len(ws) == 0 {
		return nil, fmt.Errorf("bench: workloads: %s: got no rows, want %s", file, strings.Join(workloadColumns, ", "))
	}
	return ws, nil
}

func readWorkloads(r io.Reader) ([]Workload, error) {
	var ws []Workload
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimRight(sc.Text(), "\r\n \t")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != len(workloadColumns) {
			return nil, fmt.Errorf("%d: got %d columns, want %d with tabs between: %s", n, len(f), len(workloadColumns), strings.Join(workloadColumns, ", "))
		}
		w := Workload{Kind: f[0], Name: f[1]}
		for i, p := range []*int{&w.Cin, &w.D, &w.H, &w.W, &w.Cout, &w.K, &w.S, &w.Pads, &w.Groups} {
			v, err := strconv.Atoi(f[i+2])
			if err != nil || v < 0 || v > maxNumber {
				return nil, fmt.Errorf("%d: %s: got %q, want a number from 0 to %d", n, workloadColumns[i+2], f[i+2], maxNumber)
			}
			*p = v
		}
		ws = append(ws, w)
	}
	return ws, sc.Err()
}

// Desc returns the layer for a batch of n: a convolution with bias, or a maximum
// pooling. It fails with errors.ErrUnsupported for other kinds; see Net.
func (w Workload) Desc(n int) (backend.Desc, error) {
	kind, dims := w.Kind, 0
	if i := len(kind) - 2; i > 0 && kind[i+1] == 'd' {
		kind, dims = kind[:i], int(kind[i]-'0')
	}
	if dims < 1 || dims > 3 || kind != "conv" && kind != "maxpool" {
		return backend.Desc{}, fmt.Errorf("bench: workload kind %q: %w", w.Kind, errors.ErrUnsupported)
	}
	sizes := []int{w.D, w.H, w.W}[3-dims:]
	times := func(v, n int) []int { return slices.Repeat([]int{v}, n) }
	win := backend.Window{Kernel: times(w.K, dims), Strides: times(w.S, dims), Pads: times(w.Pads, 2*dims)}
	x := backend.F32(append([]int{n, w.Cin}, sizes...)...)
	d := backend.Desc{Op: backend.MaxPool{Window: win}, In: []backend.TensorDesc{x}}
	if kind == "conv" {
		g := max(w.Groups, 1)
		d = backend.Desc{Op: backend.Conv{Window: win, Groups: g, Bias: true}, In: []backend.TensorDesc{x, backend.F32(append([]int{w.Cout, w.Cin / g}, win.Kernel...)...), backend.F32(w.Cout)}}
	}
	markWeights(&d)
	return d.Resolve()
}
