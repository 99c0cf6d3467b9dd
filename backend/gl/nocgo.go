//go:build !cgo

package gl

import (
	"errors"

	"github.com/convgl/convgl/backend"
)

func init() { backend.Register("gl", driver{}) }

type driver struct{}

var errNoCgo = &backend.UnavailableError{
	Backend: "gl",
	Err:     errors.New("built without cgo"),
	Hint:    "set CGO_ENABLED=1 and install a C compiler; on Debian: apt-get install gcc libc6-dev pkg-config libgl-dev",
}

// Open implements backend.Driver. It fails with *backend.UnavailableError.
func (driver) Open(backend.Config) (backend.Backend, error) { return nil, errNoCgo }

// Devices implements backend.Driver. It fails with *backend.UnavailableError.
func (driver) Devices() ([]backend.DeviceInfo, error) { return nil, errNoCgo }
