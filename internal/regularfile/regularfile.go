// Package regularfile opens files to read that somebody named, and never waits: opening
// a pipe waits until somebody writes to it, which no signal ends.
package regularfile

import (
	"fmt"
	"io/fs"
	"os"
)

// Open opens the regular file at path for reading. Its error is a [*fs.PathError], also
// for a folder, a pipe and a device, which have no size to check against.
func Open(path string) (*os.File, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := check(path, fi); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|Nonblock, 0)
	if err != nil {
		return nil, err
	}
	if fi, err = f.Stat(); err == nil { // of what it is by now
		err = check(path, fi)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func check(path string, fi fs.FileInfo) error {
	switch {
	case fi.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("got a folder, want a regular file")}
	case !fi.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("got a file of mode %v, want a regular file", fi.Mode())}
	}
	return nil
}
