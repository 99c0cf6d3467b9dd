// Package demo shows what the library does on one picture: filters, ReLU,
// pooling and a small network, computed on every backend, with a table of how
// far the backends agree, a table of their speed, and a page of pictures.
package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/internal/demo/scene"
	"github.com/convgl/convgl/tensor"
)

// Options say what Run does.
type Options struct {
	// Image is a PNG or JPEG file; "" is the built-in picture, which is
	// testdata/picture.png too.
	Image string
	// Out is the folder for the pictures and index.html; it is made if it is not
	// there.
	Out string
	// Backends are the names of those to run. None is [DefaultBackends], of which
	// one that is not there is named in the report, without an error. The backend
	// ref always runs: the others are judged by it.
	Backends []string
	// Stdout takes the report.
	Stdout io.Writer
}

// DefaultBackends are what Run tries when it is not told.
var DefaultBackends = []string{"ref", "cpu", "gl"}

// ErrDisagree is returned by Run when a backend failed or its results are
// outside the bounds.
var ErrDisagree = errors.New("demo: the backends do not agree")

// ErrPicture is wrapped by what Run returns for a picture that it cannot take.
var ErrPicture = errors.New("demo: unusable picture")

// minSide is the smallest side of a picture: the pooling window is 4×4.
const minSide = 4

// MaxPixels is the largest picture that Run takes, a little more than 1080 × 1920.
// Feature maps and bounds need about 2 kB a pixel, so 4 GB for that.
const MaxPixels = 1 << 21

// Run computes the demo and writes its report to o.Stdout and its pictures and
// index.html to o.Out, all of them or, after an error, those that were complete.
//
// It fails with *backend.UnavailableError: at once when o.Backends has a name that
// is not registered, and after the rest is done when a backend cannot be opened on
// this machine. It fails with [ErrDisagree] when results are wrong.
func Run(ctx context.Context, o Options) (err error) {
	if err := registered(o.Backends); err != nil {
		return err
	}
	img, source, err := load(o.Image)
	if err != nil {
		return err
	}
	if err := writable(o.Out); err != nil {
		return err
	}
	set, err := openAll(o.Backends)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.close()) }()

	r := &report{source: source, backends: set, out: o.Stdout}
	shape := img.Shape()
	r.height, r.width = shape[0], shape[1]
	r.intro()
	steps, err := makeSteps(img)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := s.run(ctx, set); err != nil {
			return err
		}
		r.step(s)
	}
	r.tables(steps)

	files, err := draw(img, steps)
	if err != nil {
		return err
	}
	page, err := r.page(steps, files)
	if err != nil {
		return err
	}
	for _, f := range append(files, file{Name: "index.html", data: page}) {
		err := atomicfile.Write(filepath.Join(o.Out, f.Name), func(w io.Writer) error {
			_, err := io.Copy(w, bytes.NewReader(f.data))
			return err
		})
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	r.printf("\nWrote %d pictures to %s; open %s to see them.\n", len(files), o.Out, filepath.Join(o.Out, "index.html"))
	r.verdict(steps)
	if r.err != nil {
		return fmt.Errorf("demo: write the report: %w", r.err)
	}
	if failures(steps) > 0 {
		return ErrDisagree
	}
	if len(o.Backends) > 0 {
		return set.missing()
	}
	return nil
}

// registered fails unless all names are those of backends.
func registered(names []string) error {
	var errs []error
	for _, n := range names {
		if n = strings.TrimSpace(n); n == "" || n == "auto" || slices.Contains(backend.Names(), n) {
			continue
		}
		_, err := backend.Devices(n) // its error says what is registered
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// load reads the picture as uint8 [H,W,3] and says where it is from.
func load(path string) (*tensor.Tensor, string, error) {
	if path == "" {
		img := scene.Draw()
		data := make([]uint8, 0, 3*scene.Width*scene.Height)
		for i := 0; i < len(img.Pix); i += 4 {
			data = append(data, img.Pix[i:i+3]...)
		}
		t, err := tensor.From(data, scene.Height, scene.Width, 3)
		return t, "the built-in picture (testdata/picture.png)", err
	}
	t, err := tensor.LoadImage(path)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrPicture, err)
	}
	h, w := t.Shape()[0], t.Shape()[1]
	if h < minSide || w < minSide {
		return nil, "", fmt.Errorf("%w: %q is %d × %d pixels (height × width): want at least %d × %d, the size of the pooling window", ErrPicture, path, h, w, minSide, minSide)
	}
	if h > MaxPixels/w {
		return nil, "", fmt.Errorf("%w: %q is %d × %d pixels (height × width): want at most %d pixels in all, such as 1080 × 1920 (make it smaller first)", ErrPicture, path, h, w, MaxPixels)
	}
	return t, path, nil
}

// writable makes the folder and finds out whether files can be made in it,
// before anything is computed.
func writable(dir string) error {
	if dir == "" {
		return errors.New("demo: no folder for the output (set -out)")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("demo: make the output folder: %w", err)
	}
	f, err := os.CreateTemp(dir, ".convgl-*.tmp")
	if err != nil {
		return fmt.Errorf("demo: the output folder cannot be written to: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// opened is one backend, or why it is not there.
type opened struct {
	name string
	be   backend.Backend // nil if err is not
	err  error
}

// backends are those of one run; the first is ref.
type backends []opened

// openAll opens the backends by name. It fails when there is no ref.
func openAll(names []string) (backends, error) {
	if len(names) == 0 {
		names = DefaultBackends
	}
	set := backends{{name: "ref"}}
	for _, n := range names {
		if n = strings.TrimSpace(n); n != "" && !slices.ContainsFunc(set, func(o opened) bool { return o.name == n }) {
			set = append(set, opened{name: n})
		}
	}
	for i := range set {
		set[i].be, set[i].err = backend.Open(set[i].name)
	}
	if set[0].err != nil {
		return nil, errors.Join(fmt.Errorf("demo: the reference: %w", set[0].err), set.close())
	}
	return set, nil
}

// missing returns the errors of those that could not be opened.
func (set backends) missing() error {
	var errs []error
	for _, o := range set {
		errs = append(errs, o.err)
	}
	return errors.Join(errs...)
}

func (set backends) close() error {
	var errs []error
	for _, o := range set {
		if o.be != nil {
			errs = append(errs, o.be.Close())
		}
	}
	return errors.Join(errs...)
}
