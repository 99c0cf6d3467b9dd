package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convgl/convgl/backend"
)

// BackendName holds spec, a backend's name or name:variant from the flag, to the
// backends that there are.
func BackendName(flag, spec string) error {
	name, _, _ := strings.Cut(spec, ":")
	known := append([]string{"auto"}, backend.Names()...)
	if slices.Contains(known, name) {
		return nil
	}
	last := len(known) - 1
	return Usagef("-%s %s: got %q, want %s or %s", flag, spec, name, strings.Join(known[:last], ", "), known[last])
}

// AutoNotice says in a line what auto took; why names the command that says why it is
// no GPU.
func AutoNotice(be backend.Backend, why string) string {
	if be.Name() == "gl" {
		return fmt.Sprintf("auto: using gl (%s)", be.Device().Name)
	}
	return fmt.Sprintf("auto: no GPU with OpenGL 4.3 found, using %s (%s); %s says why", be.Name(), be.Device().Name, why)
}

// misnamed reports whether a backend could not be opened since the command line asks for
// one, a variant or threads that there never are.
func misnamed(err error) bool {
	var attr *backend.AttrError
	return errors.Is(err, backend.ErrUnknown) || errors.As(err, &attr) && attr.Op == "Open"
}
