package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func put(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// wantDir fails unless dir holds exactly the names.
func wantDir(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("folder holds %q, want %q", got, names)
	}
}

func wantFile(t *testing.T, path, text string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != text {
		t.Errorf("%s holds %q, want %q", path, got, text)
	}
}

func TestWriteNewAndReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	for _, text := range []string{"first, and longer", "second", ""} {
		if err := Write(path, put(text)); err != nil {
			t.Fatal(err)
		}
		wantFile(t, path, text)
	}
	wantDir(t, dir, "a.txt")
}

func TestWriteMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Unix permissions")
	}
	dir := t.TempDir()
	plain, path := filepath.Join(dir, "plain"), filepath.Join(dir, "a")
	if err := os.WriteFile(plain, nil, 0o666); err != nil { // what umask makes of it
		t.Fatal(err)
	}
	if err := Write(path, put("x")); err != nil {
		t.Fatal(err)
	}
	want, _ := os.Stat(plain)
	if got, _ := os.Stat(path); got.Mode() != want.Mode() {
		t.Errorf("new file has mode %v, want %v", got.Mode(), want.Mode())
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, put("y")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.Stat(path); got.Mode() != 0o640 {
		t.Errorf("replaced file has mode %v, want 0640", got.Mode())
	}
}

func TestWriteFailureKeepsOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := Write(path, put("old")); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := Write(path, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil { // past the buffer, so the disk is touched
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "a.txt") {
		t.Errorf("got error %v, want boom with the path", err)
	}
	wantFile(t, path, "old")
	wantDir(t, dir, "a.txt")
}

func TestWritePanicLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of fn was swallowed")
			}
		}()
		Write(filepath.Join(dir, "a"), func(io.Writer) error { panic("boom") })
	}()
	wantDir(t, dir)
}

func TestWriteBadPlaces(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	called := false
	fn := func(io.Writer) error { called = true; return nil }
	for name, path := range map[string]string{
		"no folder":             filepath.Join(dir, "none", "a"),
		"parent is a file":      filepath.Join(file, "a"),
		"a folder has the name": dir,
		"empty path":            "",
	} {
		if err := Write(path, fn); err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %q does not name the path", name, err)
		}
	}
	if called {
		t.Error("fn was called though no file could be made")
	}
	wantDir(t, dir, "file")
}

func TestWriteReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root writes to read-only folders; TestWriteBadPlaces has an unwritable place")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "a"), put("x")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want permission denied", err)
	}
	wantDir(t, dir)
}

func TestWriteThroughLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skipf("symbolic links: %v", err)
	}
	if err := Write(link, put("new")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, file, "new")
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", fi, err)
	}
	wantDir(t, dir, "file", "link")
}

func TestWriteDevice(t *testing.T) {
	before, err := os.Stat(os.DevNull)
	if err != nil {
		t.Skip(err)
	}
	if err := Write(os.DevNull, put("x")); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(os.DevNull)
	if err != nil || after.Mode() != before.Mode() {
		t.Fatalf("%s was replaced: %v, %v", os.DevNull, after, err)
	}
}
