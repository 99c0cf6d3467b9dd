package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The test binary is the command where these are set; the second names a file for the
// most memory that the process had.
const (
	envCommand = "CNN_TEST_COMMAND"
	envMemory  = "CNN_TEST_MEMORY"
)

func TestMain(m *testing.M) {
	if os.Getenv(envCommand) == "" {
		os.Exit(m.Run())
	}
	code := run(os.Args[1:], os.Stdout, os.Stderr)
	if file := os.Getenv(envMemory); file != "" {
		// The resource usage of wait would not do: it counts what the parent had when it
		// started this process.
		status, err := os.ReadFile("/proc/self/status")
		if err == nil {
			err = os.WriteFile(file, status, 0o666)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = -1
		}
	}
	os.Exit(code)
}

// process is the command in a process of its own: its exit code, what it printed, the time
// it took and the most memory that it had, in MB (0 where that cannot be told).
func process(t *testing.T, args ...string) (code int, stdout, stderr string, took time.Duration, memory int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), envCommand+"=1")
	status := filepath.Join(t.TempDir(), "status")
	if runtime.GOOS == "linux" {
		cmd.Env = append(cmd.Env, envMemory+"="+status)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err = cmd.Run()
	took = time.Since(start)
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		text, err := os.ReadFile(status)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
		if m == nil {
			t.Fatalf("no VmHWM in\n%s", text)
		}
		fmt.Sscan(string(m[1]), &memory)
		memory /= 1000
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String(), took, memory
}

// conformance returns a folder of independent cases.
func conformance(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("CONVGL_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	dir = filepath.Join(dir, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance data: %v", err)
	}
	return dir
}

// trained lists the inputs of the sets of every trained network: args for run.
func trained(t *testing.T) (names []string, args [][]string) {
	t.Helper()
	sets, err := filepath.Glob(filepath.Join(conformance(t, "models"), "*", "set_*"))
	if err != nil || len(sets) == 0 {
		t.Fatalf("%d sets, %v", len(sets), err)
	}
	for _, set := range sets {
		inputs, err := filepath.Glob(filepath.Join(set, "input_*.npy"))
		if err != nil || len(inputs) != 1 {
			t.Fatalf("%s: %d inputs, %v", set, len(inputs), err)
		}
		dir := filepath.Dir(set)
		names = append(names, filepath.Join(filepath.Base(dir), filepath.Base(set)))
		args = append(args, []string{"run", "-model", filepath.Join(dir, "model.onnx"), "-input", inputs[0], "-compare", set})
	}
	return names, args
}

// Trained networks answer as another engine does.
func TestTrainedNetworks(t *testing.T) {
	names, args := trained(t)
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			outdir := t.TempDir()
			code, out, errs := command(t, append(args[i], "-backend", "cpu", "-outdir", outdir)...)
			if code != 0 {
				t.Fatalf("exit %d: %s%s", code, out, errs)
			}
			t.Log(out)
			// What was written is what was compared.
			code, _, errs = command(t, append(args[i][:len(args[i])-1:len(args[i])-1], outdir, "-tol", "0", "-backend", "cpu")...)
			if code != 0 {
				t.Errorf("against what it wrote itself: exit %d: %s", code, errs)
			}
		})
	}
}

// faults says what the error about each hostile file must name.
var faults = map[string]string{
	"empty.onnx":              `the file is empty`,
	"truncated_half.onnx":     `was the file cut off`,
	"garbage.onnx":            `not an ONNX model`,
	"unknown_op.onnx":         `not supported:\s+"[^"]+" \(Frobnicate\)`,
	"missing_weight.onnx":     `\(Conv\): input 1, "w", is neither an input`,
	"channel_mismatch.onnx":   `Conv .*x: channels: got 2 .*want 4`,
	"cycle.onnx":              `cycle: "a" \(Add\) reads from "b"`,
	"huge_dims.onnx":          `tensor "w" .*has 16 bytes, want 13510798882111488`,
	"zero_stride.onnx":        `MaxPool .*strides\[0\]: got 0`,
	"external_escape.onnx":    `tensor "w" .*external data: .*"../../../etc/passwd"`,
	"reshape_impossible.onnx": `\(Reshape\): .*want the 50 elements`,
}

// Hostile and damaged files are refused soon, with little memory, and with an error that
// says what is wrong.
func TestHostileFiles(t *testing.T) {
	dir := conformance(t, "negative")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]string
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for name, what := range manifest {
		t.Run(name, func(t *testing.T) {
			want := faults[name]
			if want == "" {
				t.Fatalf("a file that this test does not know: %s", what)
			}
			file := filepath.Join(dir, name)
			code, out, errs, took, memory := process(t, "inspect", "-backend", "cpu", file)
			said := regexp.MustCompile(want).MatchString(strings.ReplaceAll(errs, file, ""))
			if code != 4 || (out != "") != (name == "unknown_op.onnx") || !strings.Contains(errs, file) || !said {
				t.Errorf("%s: exit %d, want 4 and %q\n%s%s", what, code, want, out, errs)
			}
			if took > time.Second && !raceDetector {
				t.Errorf("took %v", took)
			}
			if memory > 100 && !raceDetector {
				t.Errorf("took %d MB", memory)
			}
			t.Logf("%v, %d MB: %s", took.Round(time.Millisecond), memory, strings.TrimSpace(errs))
			// The other command refuses it alike.
			if code, _, errs := command(t, "run", "-model", file, "-repeat", "1"); code != 4 || !regexp.MustCompile(want).MatchString(strings.ReplaceAll(errs, file, "")) {
				t.Errorf("run: exit %d: %s", code, errs)
			}
		})
	}
}

// The graphs of well-known networks are described whole.
func TestInspectLight(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(conformance(t, "light"), "*.onnx"))
	if err != nil || len(files) != 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	// Multiply-adds in millions, as published for these networks.
	published := map[string][2]int64{
		"light_resnet50.onnx":   {3800, 4200},
		"light_vgg19.onnx":      {19500, 19700},
		"light_squeezenet.onnx": {300, 900},
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if testing.Short() {
				t.Skip("runs large networks")
			}
			code, out, errs := command(t, "inspect", "-backend", "cpu", "-json", file)
			var r report
			if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
				t.Fatalf("exit %d: %v: %s", code, err, errs)
			}
			if r.Run == nil || len(r.Inputs) != 1 || len(r.Outputs) != 1 || r.Run.MultiplyAdds == 0 {
				t.Errorf("got %+v", r)
			}
			if want, ok := published[filepath.Base(file)]; ok && (r.Run.MultiplyAdds < want[0]*1e6 || r.Run.MultiplyAdds > want[1]*1e6) {
				t.Errorf("got %d multiply-adds, want %d to %d million", r.Run.MultiplyAdds, want[0], want[1])
			}
		})
	}
}
