package pb

import (
	"io"
	"io/fs"

	"github.com/convgl/convgl/internal/regularfile"
)

// ReadFile reads the file at path whole, if it is a regular one within the limits: its
// size is checked before memory is taken for it. A file that cannot be read gives a
// [*fs.PathError], one that is empty or too large a [*FormatError].
func ReadFile(path string, lim Limits) ([]byte, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkSize(fi.Size(), lim); err != nil {
		return nil, err
	}
	data := make([]byte, fi.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, nil
}
