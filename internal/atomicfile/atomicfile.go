// Package atomicfile writes files that are complete or not there: a reader
// never sees half of one, and a failed write leaves the old file as it was.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Write makes the file at path from what fn writes. The bytes go to a temporary
// file in the same folder, which takes the name when all went well and is
// removed otherwise. An existing file is replaced and keeps its permissions; a
// symbolic link stays, and the file that it names is replaced. A device or
// a pipe, such as /dev/stdout, is written to directly.
//
// The file is not synced to disk, so it may be lost in a power cut.
func Write(path string, fn func(io.Writer) error) error {
	if err := write(path, fn); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}

func write(path string, fn func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	old, statErr := os.Stat(path)
	switch {
	case statErr != nil: // no such file; any other fault shows when the temporary is made
	case old.IsDir():
		return fmt.Errorf("%w as a folder", fs.ErrExist)
	case !old.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return fill(f, fn)
	}

	// Not os.CreateTemp: it makes private files, and this one shall have the
	// permissions that any new file has.
	tmp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".convgl-%016x.tmp", rand.Uint64()))
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	renamed := false
	defer func() { // also when fn panics
		if !renamed {
			f.Close()
			os.Remove(tmp)
		}
	}()
	if statErr == nil {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	if err := fill(f, fn); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	renamed = true
	return nil
}

// fill writes what fn gives to f and closes it.
func fill(f *os.File, fn func(io.Writer) error) error {
	w := bufio.NewWriterSize(f, 64<<10)
	err := fn(w)
	if err == nil {
		err = w.Flush()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
