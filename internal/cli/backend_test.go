package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	_ "github.com/convgl/convgl/backend/ref"
)

func TestBackendName(t *testing.T) {
	for _, spec := range []string{"auto", "ref", "ref:x", "auto:avx2"} {
		if err := BackendName("backend", spec); err != nil {
			t.Error(err)
		}
	}
	for _, spec := range []string{"", ":avx2", "nonsense", "Ref"} {
		err := BackendName("backend", spec)
		var usage UsageError
		if !errors.As(err, &usage) || !strings.HasSuffix(err.Error(), "want auto or ref") {
			t.Errorf("%q: got %v", spec, err)
		}
	}
	_, unknown := backend.Open("nonsense")
	_, variant := backend.Open("ref:x")
	_, attr := backend.Open("ref", backend.WithVariant("x"))
	for _, err := range []error{unknown, variant, attr} {
		if got := exitCode(fmt.Errorf("open: %w", err), true, nil); got != ExitUsage {
			t.Errorf("%v: exit %d", err, got)
		}
	}
}

// fake is a backend with no more than a name and a device.
type fake struct {
	backend.Backend
	name, device string
}

func (f fake) Name() string               { return f.name }
func (f fake) Device() backend.DeviceInfo { return backend.DeviceInfo{Name: f.device} }

func TestAutoNotice(t *testing.T) {
	for want, be := range map[string]fake{
		"auto: using gl (A100)": {name: "gl", device: "A100"},
		"auto: no GPU with OpenGL 4.3 found, using cpu (AMD EPYC); tool env says why": {name: "cpu", device: "AMD EPYC"},
	} {
		if got := AutoNotice(be, "tool env"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
