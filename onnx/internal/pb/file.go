package pb

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadFile reads the file at path whole, if it is a regular one within the limits: its
// size is checked before memory is taken for it. A file that cannot be read gives a
// [*fs.PathError], one that is empty or too large a [*FormatError].
func ReadFile(path string, lim Limits) ([]byte, error) {
	fi, err := os.Stat(path) // opening a pipe would wait for somebody to write to it
	if err != nil {
		return nil, err
	}
	if err := wantRegular(path, fi); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if fi, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := wantRegular(path, fi); err != nil {
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

func wantRegular(path string, fi fs.FileInfo) error {
	switch {
	case fi.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("got a folder, want a regular file")}
	case !fi.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("got a file of mode %v, want a regular file", fi.Mode())}
	}
	return nil
}
