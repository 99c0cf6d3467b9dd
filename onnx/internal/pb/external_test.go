package pb

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/convgl/convgl/tensor"
)

// ext returns a tensor of n bytes whose external data has these keys and values.
func ext(n int64, kv ...string) *Tensor {
	t := &Tensor{Name: "w", DataType: Uint8, Dims: []int64{n}, DataLocation: LocationExternal}
	for i := 0; i < len(kv); i += 2 {
		t.External = append(t.External, KeyValue{kv[i], kv[i+1]})
	}
	return t
}

// modelFolder makes a folder with data and one beside it, and opens the first.
func modelFolder(t *testing.T) (dir string, d *Folder) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "model")
	for _, sub := range []string{dir, filepath.Join(dir, "sub", "sub"), filepath.Join(top, "other")} {
		if err := os.MkdirAll(sub, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"model/w.bin", "model/sub/sub/v.bin", "model/..w", "other/secret.bin"} {
		if err := os.WriteFile(filepath.Join(top, filepath.FromSlash(name)), []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	d, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return dir, d
}

func TestExternal(t *testing.T) {
	_, d := modelFolder(t)
	sum := sha1.Sum([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	for _, c := range []struct {
		t    *Tensor
		want []uint8
	}{
		{ext(10, "location", "w.bin"), []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{ext(2, "location", "./w.bin", "offset", "3"), []uint8{3, 4}},
		{ext(2, "location", "w.bin", "offset", "8", "length", "2"), []uint8{8, 9}},
		{ext(0, "location", "w.bin", "offset", "10", "length", "0"), []uint8{}},
		{ext(1, "location", "sub/sub/v.bin", "offset", "9", "other", "key"), []uint8{9}},
		{ext(1, "location", "..w"), []uint8{0}},
		{ext(1, "location", "w.bin", "checksum", strings.ToUpper(hex.EncodeToString(sum[:]))), []uint8{0}},
	} {
		got, notes, err := c.t.Value(ValueOptions{External: d})
		if err != nil || notes != nil || !reflect.DeepEqual(got, value(c.want...)) {
			t.Errorf("%v: got %v, %v, %v; want %v", c.t.External, got, notes, err, c.want)
		}
	}
	half := ext(2, "location", "w.bin", "offset", "2")
	half.DataType = Float16
	got, notes, err := half.Value(ValueOptions{External: d})
	want := value(tensor.Float16frombits(0x0302), tensor.Float16frombits(0x0504))
	if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(notes, []string{"float16 as float32"}) {
		t.Errorf("float16: got %v, %v, %v", got, notes, err)
	}
}

func TestExternalErrors(t *testing.T) {
	dir, d := modelFolder(t)
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	link("w.bin", "link.bin")
	link(filepath.Join("..", "other", "secret.bin"), "out.bin")
	link("sub", "linkdir")
	link("../other", "outdir")
	link("/", "rootdir")
	for _, c := range []struct {
		t    *Tensor
		want string
	}{
		{ext(1), "external data: no location"},
		{ext(1, "location", ""), "location: got \"\", which is empty"},
		{ext(1, "location", "/etc/passwd"), "is an absolute path, want a file in the model's folder"},
		{ext(1, "location", "../other/secret.bin"), `location: got "../other/secret.bin", which leaves it`},
		{ext(1, "location", "sub/../w.bin"), "leaves it"},
		{ext(1, "location", ".."), "leaves it"},
		{ext(1, "location", "."), "is no file there"},
		{ext(1, "location", "w.bin/"), "is no file there"},
		{ext(1, "location", `sub\..\..\other\secret.bin`), "a backslash"},
		{ext(1, "location", "w.bin\x00"), "a zero byte"},
		{ext(1, "location", strings.Repeat("a/", 3000)+"a"), "is very long"},
		{ext(1, "location", "absent.bin"), `external data "absent.bin"`},
		{ext(1, "location", "sub"), "it is a folder, want a regular file"},
		{ext(1, "location", "w.bin/x"), `"w.bin" is not a folder`},
		{ext(1, "location", "link.bin"), `"link.bin" is a symbolic link`},
		{ext(1, "location", "out.bin"), `"out.bin" is a symbolic link`},
		{ext(1, "location", "linkdir/sub/v.bin"), `"linkdir" is a symbolic link`},
		{ext(1, "location", "outdir/secret.bin"), `"outdir" is a symbolic link`},
		{ext(1, "location", "rootdir/etc/passwd"), `"rootdir" is a symbolic link`},
		{ext(1, "location", "w.bin", "location", "w.bin"), `key "location" occurs twice`},
		{ext(1, "location", "w.bin", "offset", "-1"), `offset: got "-1", want a number`},
		{ext(1, "location", "w.bin", "offset", "9223372036854775808"), "want a number"},
		{ext(1, "location", "w.bin", "offset", "0x1"), "want a number"},
		{ext(1, "location", "w.bin", "length", "1 "), `length: got "1 "`},
		{ext(1, "location", "w.bin", "length", "2"), "length is 2 bytes, want 1"},
		{ext(11, "location", "w.bin"), "11 bytes from byte 0 on, of a file that has 10"},
		{ext(2, "location", "w.bin", "offset", "9"), "2 bytes from byte 9 on, of a file that has 10"},
		{ext(2, "location", "w.bin", "offset", "9223372036854775807"), "2 bytes from byte 9223372036854775807 on"},
		{ext(0, "location", "w.bin", "offset", "11"), "0 bytes from byte 11 on"},
		{ext(1<<50, "location", "w.bin"), "1125899906842624 bytes from byte 0 on"},
		{ext(1, "location", "w.bin", "checksum", strings.Repeat("0", 40)), "its SHA-1 sum is 494179714a6cd627239dfededf2de9ef994caf03, want 00"},
		{ext(1, "location", "w.bin", "checksum", "abc"), `checksum: got "abc", want the 40 hexadecimal digits`},
	} {
		v, _, err := c.t.Value(ValueOptions{External: d})
		if v != nil || err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `tensor "w" (uint8 [`) {
			t.Errorf("%v: got %v, %v; want %q", c.t.External, v, err, c.want)
		}
	}
	d.Close()
	if _, _, err := ext(1, "location", "w.bin").Value(ValueOptions{External: d}); err == nil {
		t.Error("a closed folder gave a value")
	}
	if _, err := OpenFolder(filepath.Join(dir, "absent")); err == nil {
		t.Error("OpenFolder opened what there is not")
	}
}

// A file is opened once, the number of open ones is bounded, and those that were
// closed meanwhile are opened again.
func TestExternalOpen(t *testing.T) {
	dir, d := modelFolder(t)
	const n = 2*maxExternalOpen + 1
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte{byte(i)}, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	first, err := d.open("w.bin")
	if err != nil {
		t.Fatal(err)
	}
	f := first.f
	if again, err := d.open("w.bin"); err != nil || again.f != f {
		t.Errorf("opened twice (%v)", err)
	}
	var wg sync.WaitGroup
	for i := range 3 * n {
		wg.Go(func() {
			got, _, err := ext(1, "location", fmt.Sprint(i%n)).Value(ValueOptions{External: d})
			if err != nil || !reflect.DeepEqual(got, value(byte(i%n))) {
				t.Errorf("%d: got %v, %v", i, got, err)
			}
		})
	}
	wg.Wait()
	open := 0
	for _, e := range d.files {
		if e.f != nil {
			open++
		}
	}
	if open == 0 || open > maxExternalOpen {
		t.Errorf("%d files are open, want at most %d", open, maxExternalOpen)
	}
}

// Tensors cannot multiply a file, but one may be asked for again and again.
func TestExternalUse(t *testing.T) {
	_, d := modelFolder(t)
	one := ext(10, "location", "w.bin")
	for range 20 {
		if _, _, err := one.Value(ValueOptions{External: d}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		_, _, err := ext(10, "location", "w.bin").Value(ValueOptions{External: d})
		if refused := err != nil && strings.Contains(err.Error(), "more than 4 times over"); refused != (i >= 3) {
			t.Errorf("tensor %d: got %v", i+2, err)
		}
	}
}

func TestReadFile(t *testing.T) {
	dir, _ := modelFolder(t)
	data, err := ReadFile(filepath.Join(dir, "w.bin"), Limits{})
	if err != nil || len(data) != 10 || data[9] != 9 {
		t.Errorf("got %v, %v", data, err)
	}
	_, err = ReadFile(filepath.Join(dir, "w.bin"), Limits{FileSize: 9})
	wantError(t, err, "the file has 10 bytes, want at most 9")
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = ReadFile(empty, Limits{})
	wantError(t, err, "the file is empty")
	if _, err := ReadFile(dir, Limits{}); err == nil || !strings.Contains(err.Error(), "got a folder, want a regular file") {
		t.Errorf("a folder: got %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "absent"), Limits{}); !os.IsNotExist(err) {
		t.Errorf("an absent file: got %v", err)
	}
}
