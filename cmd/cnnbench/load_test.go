package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/bench"
)

// TestMain is the command itself where load begins a process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "load" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestLoad(t *testing.T) {
	relu, unknown := unary(t, "Relu"), unary(t, "Dance")
	for _, c := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"-backend cpu,ref -runs 2 -model " + relu, 0, "first answer", ""},
		{"-backend cpu", 2, "", "-model is missing"},
		{"-backend cpu -runs 0 -model " + relu, 2, "", "-runs 0"},
		{"-backend cpu -model no-such-file", 2, "", "no-such-file"},
		{"-backend cpu -model " + unknown, 2, "", "no such op"},
		{"-backend none -model " + relu, 2, "", "want auto, cpu, gl, "},
		{"-backend wrong -model " + unary(t, "Softmax"), 1, "", "never learned it"},
	} {
		code, out, errs := command(t, append([]string{"load"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: exit %d, want %d\n%s\n%s", c.args, code, c.code, out, errs)
		}
	}
	_, out, _ := command(t, "load", "-backend", "cpu", "-threads", "1,2", "-runs", "2", "-json", "-model", relu)
	var threads []int
	for dec := json.NewDecoder(strings.NewReader(out)); dec.More(); {
		var l bench.LoadTime
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		threads = append(threads, l.Threads)
		if l.Backend != "cpu" || l.Cache != "" || l.Read <= 0 || l.Build <= 0 || l.Plan <= 0 || l.First <= 0 || l.Next <= 0 || l.Process < l.Total() {
			t.Errorf("%+v", l)
		}
	}
	if !slices.Equal(threads, []int{1, 2, 1, 2}) {
		t.Errorf("threads %v", threads)
	}
}

// Where programs are compiled there are two processes a round, of which the second finds
// what the first one left: in a folder of their own, and in no other.
func TestLoadCaches(t *testing.T) {
	be, err := backend.Open("gl")
	var missing *backend.UnavailableError
	if errors.As(err, &missing) && os.Getenv("CONVGL_REQUIRE_GL") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := be.Close(); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("MESA_SHADER_CACHE_DIR", home)
	t.Setenv("CONVGL_SHADER_CACHE", "off")
	_, out, errs := command(t, "load", "-backend", "gl", "-runs", "1", "-json", "-model", unary(t, "Relu"))
	var cold, warm bench.LoadTime
	dec := json.NewDecoder(bytes.NewReader([]byte(out)))
	if err := errors.Join(dec.Decode(&cold), dec.Decode(&warm)); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	if cold.Cache != "cold" || warm.Cache != "warm" {
		t.Errorf("%+v, %+v", cold, warm)
	}
	left, err := os.ReadDir(home)
	if err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
