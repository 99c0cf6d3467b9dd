package cpu

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
)

// isa is an instruction set that kernels are written for. Each includes those of the
// same architecture before it; isaNames has those of the build's.
type isa uint8

const isaGeneric isa = 0 // plain Go

// Instruction sets of amd64.
const (
	isaAVX2   isa = 1 + iota // AVX2, FMA and BMI2
	isaAVX512                // AVX-512 F, DQ, BW and VL
)

func (s isa) String() string { return isaNames[s] }

// parseISA returns the instruction set of that name.
func parseISA(name string) (isa, bool) {
	i := slices.Index(isaNames, name)
	return isa(max(i, 0)), i >= 0
}

// instructionSets lists those up to set.
func instructionSets(set isa) string { return strings.Join(isaNames[:set+1], ", ") }

// chooseISA returns the instruction set of a backend: the best of those that are
// there, or the one that WithVariant names. The value of CONVGL_CPU limits both; ""
// stands for none.
func chooseISA(variant, env string, have isa) (isa, error) {
	set := have
	if env != "" {
		limit, ok := parseISA(env)
		switch {
		case !ok:
			return 0, unavailable("CONVGL_CPU=%s: want one of %s", env, strings.Join(isaNames, ", "))
		case limit > have:
			return 0, unavailable("CONVGL_CPU=%s: %s offers %s", env, where(), instructionSets(have))
		}
		set = limit
	}
	if variant == "" {
		return set, nil
	}
	want, ok := parseISA(variant)
	switch {
	case !ok:
		return 0, &backend.AttrError{Op: "Open", Attr: "variant", Got: strconv.Quote(variant), Want: strings.Join(isaNames, ", ")}
	case want > have:
		return 0, unavailable("variant %s: %s offers %s", variant, where(), instructionSets(have))
	case want > set:
		return 0, unavailable("variant %s: CONVGL_CPU=%s allows %s", variant, env, instructionSets(set))
	}
	return want, nil
}

func unavailable(format string, args ...any) error {
	return &backend.UnavailableError{Backend: name, Err: fmt.Errorf(format, args...)}
}

// where names what limits the instruction sets.
func where() string {
	if !assembly {
		return "a build without assembly"
	}
	return "the machine"
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
func describe(threads int, set isa) backend.DeviceInfo {
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
			"variants":         instructionSets(detectISA()),
			"cache, bytes":     strconv.FormatInt(lastCache(), 10),
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

// lastCache returns the bytes of the last level of cache, and a usual size where the
// system does not tell.
func lastCache() int64 {
	best := int64(0)
	for i := range 8 {
		text, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu0/cache/index%d/size", i))
		if err != nil {
			break
		}
		s, unit := strings.TrimSpace(string(text)), int64(1)
		if k, ok := strings.CutSuffix(s, "K"); ok {
			s, unit = k, 1<<10
		} else if m, ok := strings.CutSuffix(s, "M"); ok {
			s, unit = m, 1<<20
		}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			best = max(best, n*unit)
		}
	}
	if best == 0 {
		return 32 << 20
	}
	return best
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
