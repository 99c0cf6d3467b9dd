package pb

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/convgl/convgl/internal/regularfile"
)

// Bounds of external data.
const (
	maxExternalFile = 1 << 37 // bytes
	maxExternalOpen = 64      // files at once
	maxExternalUse  = 4       // how often tensors together may read each byte of a file
)

// A Folder is where a model's external data may lie: in regular files within the model's
// folder, which are reached over folders alone. A file cannot name any other, be it by
// "..", an absolute path or a symbolic link. Its methods may be called from several
// goroutines at once.
type Folder struct {
	mu    sync.Mutex
	root  *os.Root
	files map[string]*externalFile
}

// externalFile is what is known of a file with external data.
type externalFile struct {
	f    *os.File // nil once it was closed to make room
	size int64
	sum  string // SHA-1 of all of it; "" until somebody asks
	// used is what the tensors in users read of it together: a small model must not
	// make gigabytes of a big file by reading it over and over.
	used  int64
	users map[*Tensor]bool
}

// OpenFolder opens the folder dir. The caller owes a Close.
func OpenFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root: root, files: map[string]*externalFile{}}, nil
}

// Close closes all files. A tensor with external data that is asked for later is
// refused.
func (d *Folder) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.files {
		if e.f != nil {
			e.f.Close()
			e.f = nil
		}
	}
	return d.root.Close()
}

// location is where external data lies.
type location struct {
	file     string
	offset   int64
	length   int64 // −1: not given
	checksum string
}

// externalLocation reads the keys of t.External.
func (t *Tensor) externalLocation() (location, error) {
	loc := location{length: -1}
	seen := map[string]bool{}
	for _, kv := range t.External {
		if seen[kv.Key] {
			return loc, fmt.Errorf("key %s occurs twice", Quote(kv.Key))
		}
		seen[kv.Key] = true
		var err error
		switch kv.Key {
		case "location":
			loc.file, err = localPath(kv.Value)
		case "offset":
			loc.offset, err = byteCount(kv.Value)
		case "length":
			loc.length, err = byteCount(kv.Value)
		case "checksum":
			loc.checksum = strings.ToLower(kv.Value)
			if b, herr := hex.DecodeString(loc.checksum); herr != nil || len(b) != sha1.Size {
				err = fmt.Errorf("got %.60q, want the %d hexadecimal digits of a SHA-1 sum", kv.Value, 2*sha1.Size)
			}
		}
		if err != nil {
			return loc, fmt.Errorf("%s: %w", kv.Key, err)
		}
	}
	if !seen["location"] {
		return loc, errors.New("no location")
	}
	return loc, nil
}

// localPath checks the name of a file within the folder, which has slashes on every
// system.
func localPath(name string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("got %.100q, which %s, want a file in the model's folder", name, why)
	}
	switch {
	case name == "":
		return bad("is empty")
	case len(name) > 4096:
		return bad("is very long")
	case strings.ContainsAny(name, "\x00\\"):
		return bad("has a zero byte or a backslash")
	case path.IsAbs(name):
		return bad("is an absolute path")
	}
	for _, elem := range strings.Split(name, "/") {
		if elem == ".." {
			return bad("leaves it")
		}
	}
	clean := path.Clean(name)
	if clean == "." || strings.HasSuffix(name, "/") || !filepath.IsLocal(filepath.FromSlash(clean)) {
		return bad("is no file there")
	}
	return clean, nil
}

// byteCount reads a number of bytes.
func byteCount(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("got %.40q, want a number from 0 to %d", s, int64(math.MaxInt64))
	}
	return int64(n), nil
}

// read calls fn with the want bytes of t's external data.
func (d *Folder) read(t *Tensor, want int64, fn func(io.Reader) error) error {
	loc, err := t.externalLocation()
	if err != nil {
		return fmt.Errorf("external data: %w", err)
	}
	if loc.length >= 0 && loc.length != want {
		return fmt.Errorf("external data %s: length is %d bytes, want %d", Quote(loc.file), loc.length, want)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.readLocked(t, loc, want, fn); err != nil {
		return fmt.Errorf("external data %s: %w", Quote(loc.file), err)
	}
	return nil
}

func (d *Folder) readLocked(t *Tensor, loc location, want int64, fn func(io.Reader) error) error {
	e, err := d.open(loc.file)
	if err != nil {
		return err
	}
	if want > e.size || loc.offset > e.size-want {
		return fmt.Errorf("%d bytes from byte %d on, of a file that has %d", want, loc.offset, e.size)
	}
	if !e.users[t] {
		if want > maxExternalUse*e.size-e.used {
			return fmt.Errorf("tensors read its %d bytes more than %d times over", e.size, maxExternalUse)
		}
		e.users[t] = true
		e.used += want
	}
	if loc.checksum != "" {
		if e.sum == "" {
			h := sha1.New()
			if _, err := io.Copy(h, io.NewSectionReader(e.f, 0, e.size)); err != nil {
				return err
			}
			e.sum = hex.EncodeToString(h.Sum(nil))
		}
		if e.sum != loc.checksum {
			return fmt.Errorf("its SHA-1 sum is %s, want %s", e.sum, loc.checksum)
		}
	}
	return fn(io.NewSectionReader(e.f, loc.offset, want))
}

// open returns the file of that name, which is opened the first time.
func (d *Folder) open(name string) (*externalFile, error) {
	e := d.files[name]
	if e != nil && e.f != nil {
		return e, nil
	}
	f, size, err := d.openFile(name)
	if err != nil {
		return nil, err
	}
	open := 0
	for _, other := range d.files {
		if other.f != nil {
			open++
		}
	}
	for _, other := range d.files {
		if open >= maxExternalOpen && other.f != nil {
			other.f.Close()
			other.f = nil
			open--
		}
	}
	if e == nil {
		e = &externalFile{users: map[*Tensor]bool{}}
		d.files[name] = e
	}
	if e.size != size {
		e.size, e.sum = size, ""
	}
	e.f = f
	return e, nil
}

// openFile opens a regular file. It looks before it opens, as opening a pipe waits and
// opening a device may do anything; what it opened must be what it saw.
func (d *Folder) openFile(name string) (*os.File, int64, error) {
	var seen fs.FileInfo
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		fi, err := d.root.Lstat(filepath.FromSlash(name[:i]))
		if err != nil {
			return nil, 0, err
		}
		switch {
		case fi.Mode()&fs.ModeSymlink != 0:
			return nil, 0, fmt.Errorf("%s is a symbolic link, want a file in the model's folder itself", Quote(name[:i]))
		case i < len(name) && !fi.IsDir():
			return nil, 0, fmt.Errorf("%s is not a folder", Quote(name[:i]))
		case i == len(name) && fi.IsDir():
			return nil, 0, errors.New("it is a folder, want a regular file")
		case i == len(name) && !fi.Mode().IsRegular():
			return nil, 0, fmt.Errorf("it has mode %v, want a regular file", fi.Mode())
		}
		seen = fi
	}
	f, err := d.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|regularfile.Nonblock, 0)
	if err != nil {
		return nil, 0, err
	}
	fi, err := f.Stat()
	switch {
	case err != nil:
	case !fi.Mode().IsRegular() || !os.SameFile(fi, seen):
		err = errors.New("it was replaced while it was opened")
	case fi.Size() > maxExternalFile:
		err = fmt.Errorf("it has %d bytes, want at most %d", fi.Size(), int64(maxExternalFile))
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, fi.Size(), nil
}
