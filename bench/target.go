package bench

import (
	"errors"
	"fmt"

	"github.com/convgl/convgl/backend"
)

// Target is an open backend with the name that reports give it.
type Target struct {
	backend.Backend
	// Label is the backend's name, with the number of threads where several are
	// compared: "cpu/2".
	Label string
	// Threads is what was asked for; 0 is the backend's choice.
	Threads int
}

// OpenTargets opens each backend, once for each number of threads if it has any.
// No number is the backend's choice. When one cannot be opened, all are closed
// and the error is its *backend.UnavailableError, if that is why.
func OpenTargets(names []string, threads []int) (ts []Target, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, CloseTargets(ts))
			ts = nil
		}
	}()
	if len(threads) == 0 {
		threads = []int{0}
	}
	for _, name := range names {
		for _, n := range threads {
			be, err := backend.Open(name, backend.WithThreads(n))
			if err != nil {
				return ts, fmt.Errorf("bench: open %q: %w", name, err)
			}
			t := Target{Backend: be, Label: name, Threads: n}
			has := be.Device().Threads != 0
			if has && len(threads) > 1 {
				t.Label = fmt.Sprintf("%s/%d", name, n)
			}
			ts = append(ts, t)
			if !has {
				break // the number would change nothing
			}
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
