package cpu

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
)

// isa is an instruction set that kernels are written for; each includes those
// before it.
type isa uint8

const (
	isaGeneric isa = iota // plain Go
	isaAVX2               // AVX2 and FMA
	isaAVX512             // AVX-512 F, DQ, BW and VL
)

var isaNames = [...]string{"generic", "avx2", "avx512"}

func (s isa) String() string { return isaNames[s] }

// chooseISA applies the value of CONVGL_CPU, "" for none, to what the machine has.
func chooseISA(env string, have isa) (isa, error) {
	if env == "" {
		return have, nil
	}
	for i, n := range isaNames {
		if n == env {
			if isa(i) > have {
				return 0, fmt.Errorf("CONVGL_CPU=%s: the machine has %v", env, have)
			}
			return isa(i), nil
		}
	}
	return 0, fmt.Errorf("CONVGL_CPU=%s: want one of %s", env, strings.Join(isaNames[:], ", "))
}

// impl is one way to run an inner loop, for processors that have needs.
type impl[F any] struct {
	needs isa
	fn    F
}

// pick returns the first of impls, the best first, that a processor with set can
// run. The last one is plain Go.
func pick[F any](set isa, impls []impl[F]) F {
	for _, i := range impls {
		if i.needs <= set {
			return i.fn
		}
	}
	panic("cpu: no kernel in plain Go") // every list ends in one
}

// describe returns what is known of the processor.
func describe(threads int, set isa, variant string) backend.DeviceInfo {
	model, vendor := cpuModel()
	return backend.DeviceInfo{
		Backend: name,
		Name:    model,
		Vendor:  vendor,
		Driver:  runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Threads: threads,
		Details: map[string]string{
			"cores":            strconv.Itoa(runtime.NumCPU()),
			"instructions":     set.String(),
			"features":         cpuFeatures(),
			"variant":          variant,
			"memory, bytes":    strconv.FormatInt(machineMemory(), 10),
			"CONVGL_CPU":       os.Getenv("CONVGL_CPU"),
			"offset alignment": strconv.Itoa(align),
		},
	}
}

// cpuModel reads the processor's name where the system tells it.
func cpuModel() (model, vendor string) {
	model, vendor = runtime.GOARCH, ""
	if m := procField("/proc/cpuinfo", "model name"); m != "" {
		model = m
	}
	return model, procField("/proc/cpuinfo", "vendor_id")
}

// machineMemory returns the bytes of the machine's memory, and no limit where
// the system does not tell.
func machineMemory() int64 {
	s, _, _ := strings.Cut(procField("/proc/meminfo", "MemTotal"), " ")
	if kb, err := strconv.ParseInt(s, 10, 64); err == nil && kb > 0 {
		return kb << 10
	}
	return math.MaxInt64 >> 17 // what an address can reach
}

// procField returns the first "key : value" of a file of /proc, or "".
func procField(file, key string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		if k, v, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
