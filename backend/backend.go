package backend

import (
	"context"
	"time"

	"github.com/convgl/convgl/tensor"
)

// Backend is an open device. Its methods may be called from many goroutines.
type Backend interface {
	// Name is the name it was registered under, as "cpu".
	Name() string
	// Device describes the hardware and driver.
	Device() DeviceInfo
	// Caps returns the limits that planners must respect.
	Caps() Caps

	// Alloc returns memory of the device, of undefined content. Zero bytes are
	// allowed. It fails with *LimitError above Caps.MaxBuffer.
	Alloc(bytes int64) (Buffer, error)
	// Write copies src to the start of dst; src may be reused at once. It fails
	// when src is longer than dst.
	Write(ctx context.Context, dst Buffer, src []byte) error
	// Read waits for all that was enqueued before and copies the first len(dst)
	// bytes of src. It fails when dst is longer than src.
	Read(ctx context.Context, dst []byte, src Buffer) error
	// Sync waits for all that was enqueued before.
	Sync(ctx context.Context) error

	// Prepare validates d (see Desc.Resolve), chooses an algorithm, compiles what
	// has to be, and returns the kernel. It fails with *ShapeError, *AttrError,
	// *LimitError, or an error that wraps errors.ErrUnsupported.
	Prepare(ctx context.Context, d Desc) (Kernel, error)
	// Algorithms lists, best first, the names that Desc.Algorithm may take for d;
	// none when the backend has no kernel for it.
	Algorithms(d Desc) []string
	// Pack returns a buffer that holds the constant t, described by d, in a format
	// that a kernel asked for; a nil format stores it in d's layout, Plain where that
	// is open. Any kernel of this backend that reports an equal format for the same t
	// may share it.
	Pack(ctx context.Context, t *tensor.Tensor, d TensorDesc, f Format) (Buffer, error)

	// Live counts what is open.
	Live() Live
	// Close waits for the device and releases everything. It returns a *LeakError
	// when buffers or kernels were still open. It is idempotent: a further call
	// returns what the first one did.
	Close() error
}

// Buffer is a range (allocation, offset, bytes) of a device's memory.
type Buffer interface {
	// Bytes is the length of the range.
	Bytes() int64
	// Slice returns a part of the range that shares its memory. The offset is
	// relative to this range; it must be a multiple of Caps.OffsetAlign. Slices
	// need no Close, and are unusable once the allocation is closed.
	Slice(offset, bytes int64) (Buffer, error)
	// Close gives the allocation back once the device no longer uses it. It is
	// idempotent, and does nothing on a slice.
	Close() error
}

// Kernel is an op prepared for one set of shapes and layouts. It holds no
// memory of a run: Run may be called from many goroutines at once with
// different outputs and workspaces.
type Kernel interface {
	// Info says what was decided. The caller must not change it.
	Info() *KernelInfo
	// Run enqueues the computation. It fails when the number or size of the
	// buffers disagrees with Info, or one is closed or of another backend. Run
	// again with the same args allocates nothing.
	Run(ctx context.Context, a Args) error
	// Close releases the kernel. It is idempotent.
	Close() error
}

// Args are the buffers of one run, in the order of Info's In and Out. Their
// sizes are Info().InBytes(i) and Info().OutBytes(i), or larger.
type Args struct {
	In, Out []Buffer
	// Workspace is scratch of at least Info().Workspace bytes; nil when that is 0.
	// Its content before and after is undefined.
	Workspace Buffer
}

// KernelInfo is the result of planning one op.
type KernelInfo struct {
	// Algorithm is the name of what was chosen, as "indirect-gemm".
	Algorithm string
	// In and Out are the resolved descriptions: no layout is Any.
	In, Out []TensorDesc
	// Formats has one entry an input: what Pack has to make of a constant, or nil
	// to pass the tensor in its In layout.
	Formats []Format
	// Workspace is the scratch that Run needs, in bytes.
	Workspace int64
	// InPlace lists the inputs whose buffer may also be Out[0].
	InPlace []int
	// Cost is the nominal work of one run.
	Cost Cost
}

// InBytes returns the size of the buffer that input i needs.
func (k *KernelInfo) InBytes(i int) int64 {
	if f := k.Formats[i]; f != nil {
		return f.Bytes()
	}
	return k.In[i].Bytes()
}

// OutBytes returns the size of the buffer that output i needs.
func (k *KernelInfo) OutBytes(i int) int64 { return k.Out[i].Bytes() }

// Format is a packed form of a constant. Its dynamic type is comparable, so that
// equal formats are == and a Format can be the key of a map.
type Format interface {
	// String describes the format, as "conv cout64/16 cin32".
	String() string
	// Bytes is the size of the packed buffer.
	Bytes() int64
}

// Cost is the nominal work of one run.
type Cost struct {
	// FLOPs counts a multiplication and an addition each as one, padded taps
	// included.
	FLOPs int64
	// Bytes is the least memory traffic: every input and output once.
	Bytes int64
}

// Caps are the limits of a device. Zero means no limit.
type Caps struct {
	// OffsetAlign is what the offset of a Slice must be a multiple of, in bytes.
	OffsetAlign int64
	// MaxBuffer is the largest allocation, in bytes.
	MaxBuffer int64
	// MaxBinding is the largest range that a kernel can take as one argument.
	MaxBinding int64
	// Layouts are the layouts that kernels prefer for N, C, spatial tensors, best
	// first.
	Layouts []Layout
}

// DeviceInfo describes a device.
type DeviceInfo struct {
	Backend  string // as "gl"
	Index    int    // for WithDevice
	Name     string // as "llvmpipe (LLVM 15.0.6, 256 bits)"
	Vendor   string
	Driver   string            // API and driver version
	Software bool              // an emulation of a GPU on the CPU
	Threads  int               // CPU threads used; 0 when it does not apply
	Details  map[string]string // limits and features, for people to read
}

// Timer is implemented by a backend whose device has a clock of its own.
type Timer interface {
	// DeviceTime calls fn and returns the time that the device spent on what fn
	// enqueued.
	DeviceTime(ctx context.Context, fn func() error) (time.Duration, error)
}

// Peaks are measured rates of a device: the roof of a roofline.
type Peaks struct {
	FLOPS     float64 // fused multiply-adds from registers, FLOP/s
	CopyBytes float64 // large copy, bytes read plus written a second
}

// Prober is implemented by a backend that can measure its own peaks. It takes
// about a second.
type Prober interface {
	Peaks(ctx context.Context) (Peaks, error)
}
