package egl

import (
	"errors"
	"fmt"
	"os"
)

// ErrNoLibrary says that libEGL could not be loaded.
var ErrNoLibrary = errors.New("libEGL not found")

// ErrNoDevice says that libEGL knows no place where a context may be had.
var ErrNoDevice = errors.New("libEGL offers no device and no surfaceless platform")

// notInitialized is what eglInitialize answers when it finds no driver.
const notInitialized Code = 0x3001

// Hint says what to install or set against an error of this package, and "" where
// no package is missing. The errors do not hold it, so that it is said once however
// many places have failed.
func Hint(err error) string {
	install := ""
	switch {
	case errors.Is(err, ErrNoLibrary):
		return "on Debian: apt-get install libegl1 libgl1 libgl1-mesa-dri; for a GPU, its vendor's driver"
	case errors.Is(err, ErrNoDevice), errors.Is(err, notInitialized):
		install = "on Debian: apt-get install libgl1-mesa-dri; for a GPU, its vendor's driver"
	default:
		return ""
	}
	if dir := os.Getenv("LIBGL_DRIVERS_PATH"); dir != "" {
		return fmt.Sprintf("LIBGL_DRIVERS_PATH=%s makes Mesa look for drivers only there; without it, %s", dir, install)
	}
	return install
}

// withHint puts the hint behind an error.
func withHint(err error) error {
	if h := Hint(err); h != "" {
		return fmt.Errorf("%w (%s)", err, h)
	}
	return err
}
