package bench

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convgl/convgl/backend"
)

// Target is an open backend with the name that reports give it.
type Target struct {
	backend.Backend
	// Spec is what OpenTargets was asked for: a name, or name:variant.
	Spec string
	// Label is Spec, with the number of threads where several are compared: "cpu/2".
	Label string
	// Threads is what was asked for; 0 is the backend's choice.
	Threads int
	// Note says what "auto" took, and why; "" for others.
	Note string
}

// OpenTargets opens each backend, once for each number of threads that it obeys,
// and once if it obeys none.
// A spec is a backend's name, with the family of kernels after a colon where it is
// forced ("gl:tiled"), or "auto". No number of threads is the backend's choice. When one cannot be opened, all are closed
// and the error is its *backend.UnavailableError, if that is why.
func OpenTargets(specs []string, threads []int) (ts []Target, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, CloseTargets(ts))
			ts = nil
		}
	}()
	if len(threads) == 0 {
		threads = []int{0}
	}
	for _, spec := range specs {
		name, variant, _ := strings.Cut(spec, ":")
		for i, n := range threads {
			t := Target{Spec: spec, Threads: n}
			opts := []backend.Option{backend.WithThreads(n), backend.WithVariant(variant)}
			if name == "auto" {
				t.Backend, t.Note, err = backend.OpenAuto(opts...)
			} else {
				t.Backend, err = backend.Open(name, opts...)
			}
			if err != nil {
				return ts, fmt.Errorf("bench: open %q: %w", spec, err)
			}
			if name == "auto" {
				t.Spec = t.Name()
			}
			t.Label = t.Spec
			obeys := t.Device().Threads == n
			if obeys && len(threads) > 1 {
				t.Label = fmt.Sprintf("%s/%d", t.Spec, n)
			}
			if i > 0 && !obeys {
				if err := t.Close(); err != nil {
					return ts, err
				}
				continue // one with other threads than asked for is enough
			}
			ts = append(ts, t)
		}
	}
	return ts, nil
}

// CloseTargets closes all of them.
func CloseTargets(ts []Target) error {
	var errs []error
	for _, t := range ts {
		if err := t.Close(); err != nil {
			errs = append(errs, fmt.Errorf("bench: close %s: %w", t.Label, err))
		}
	}
	return errors.Join(errs...)
}

// algorithms returns the names to run: the one given, all of the backend's for
// "all", and the backend's choice for "".
func (t Target) algorithms(d backend.Desc, want string) []string {
	if want != "all" {
		return []string{want}
	}
	if names := t.Algorithms(d); len(names) > 0 {
		return names
	}
	return []string{""} // Prepare says why there is none
}
