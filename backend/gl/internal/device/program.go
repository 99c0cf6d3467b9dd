//go:build cgo

package device

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/go-gl/gl/v4.3-core/gl"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/shaders"
)

// Program is a linked compute program. It lives as long as its device.
type Program struct {
	ID     uint32
	Source shaders.Source
	Group  [3]int // invocations of a workgroup
	Cached bool   // its binary came from the disk
}

// Name is the kernel with its defines, as "fill.comp".
func (p *Program) Name() string { return p.Source.Key }

// CompileError is a shader that the driver refused.
type CompileError struct {
	Name  string // kernel with its defines
	Stage string // "compile" or "link"
	Log   string // the driver's, with file names, each place followed by its line
}

func (e *CompileError) Error() string {
	return fmt.Sprintf("gl: %s: %s failed:\n%s", e.Name, e.Stage, e.Log)
}

// programs holds what was compiled, by shaders.Source.Key.
type programs struct {
	d    *Device
	mu   sync.Mutex
	all  map[string]*Program
	disk *diskCache // nil: none
}

func (p *programs) init(d *Device) {
	p.d = d
	p.all = map[string]*Program{}
	if d.info.ProgramBinaries {
		p.disk = newDiskCache(d.opt.CacheDir, d.info)
	}
	if p.disk != nil {
		d.info.CacheDir = p.disk.dir
	}
}

func (p *programs) find(key string) *Program {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[key]
}

func (p *programs) freeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.all {
		gl.DeleteProgram(g.ID)
	}
	p.d.stats.programs.Add(int64(-len(p.all)))
	clear(p.all)
}

// Program returns the kernel compiled with the defines: from memory, from the
// disk, or by the driver. It fails as shaders.Expand does and with *CompileError.
func (d *Device) Program(ctx context.Context, name string, defines ...shaders.Define) (*Program, error) {
	s, err := shaders.Expand(name, defines...)
	if err != nil {
		return nil, err
	}
	return d.Compile(ctx, s)
}

// Compile is Program for an expanded source. Sources with equal keys must have
// equal texts.
func (d *Device) Compile(ctx context.Context, s shaders.Source) (*Program, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if p := d.programs.find(s.Key); p != nil {
		return d.same(p, s)
	}
	var p *Program
	err := d.Call(ctx, func(t *Thread) error {
		var err error
		p, err = t.compile(s)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.same(p, s)
}

func (d *Device) same(p *Program, s shaders.Source) (*Program, error) {
	if p.Source.Text != s.Text {
		return nil, fmt.Errorf("gl: %s: two different texts with one key", s.Key)
	}
	return p, nil
}

func (t *Thread) compile(s shaders.Source) (*Program, error) {
	ps := &t.d.programs
	if p := ps.find(s.Key); p != nil {
		return p, nil // two callers met
	}
	if err := dump(s); err != nil {
		return nil, err
	}
	p := &Program{Source: s}
	if p.ID = t.fromDisk(s); p.ID != 0 {
		p.Cached = true
	} else {
		id, err := t.build(s)
		if err != nil {
			return nil, err
		}
		p.ID = id
		t.toDisk(p)
	}
	var g [3]int32
	gl.GetProgramiv(p.ID, gl.COMPUTE_WORK_GROUP_SIZE, &g[0])
	for i, n := range g {
		p.Group[i] = int(n)
	}
	if err := t.check("program " + s.Key); err != nil {
		gl.DeleteProgram(p.ID)
		return nil, err
	}
	ps.mu.Lock()
	ps.all[s.Key] = p
	ps.mu.Unlock()
	t.d.stats.programs.Add(1)
	return p, nil
}

func (t *Thread) build(s shaders.Source) (uint32, error) {
	sh := gl.CreateShader(gl.COMPUTE_SHADER)
	defer gl.DeleteShader(sh)
	text, free := gl.Strs(s.Text + "\x00")
	gl.ShaderSource(sh, 1, text, nil)
	free()
	gl.CompileShader(sh)
	var ok int32
	gl.GetShaderiv(sh, gl.COMPILE_STATUS, &ok)
	if ok == gl.FALSE {
		var n int32
		gl.GetShaderiv(sh, gl.INFO_LOG_LENGTH, &n)
		return 0, t.refused(s, "compile", n, func(n int32, b *uint8) { gl.GetShaderInfoLog(sh, n, nil, b) })
	}
	id := gl.CreateProgram()
	gl.AttachShader(id, sh)
	if t.d.programs.disk != nil {
		gl.ProgramParameteri(id, gl.PROGRAM_BINARY_RETRIEVABLE_HINT, gl.TRUE)
	}
	gl.LinkProgram(id)
	gl.DetachShader(id, sh)
	gl.GetProgramiv(id, gl.LINK_STATUS, &ok)
	if ok == gl.FALSE {
		var n int32
		gl.GetProgramiv(id, gl.INFO_LOG_LENGTH, &n)
		err := t.refused(s, "link", n, func(n int32, b *uint8) { gl.GetProgramInfoLog(id, n, nil, b) })
		gl.DeleteProgram(id)
		return 0, err
	}
	return id, nil
}

// refused reads a log and makes the error. A debug context says the same again as
// a message, which is dropped.
func (t *Thread) refused(s shaders.Source, stage string, n int32, read func(int32, *uint8)) error {
	b := make([]byte, n+1)
	read(n+1, &b[0])
	log := strings.TrimRight(string(b), "\x00\n ")
	if log == "" {
		log = "the driver gives no reason (too many resources?)"
	}
	if t.messages != nil {
		t.messages.take()
	}
	return &CompileError{Name: s.Key, Stage: stage, Log: s.Translate(log)}
}

// CheckGroup reports, at plan time, a workgroup that the device cannot run:
// *backend.LimitError.
func (d *Device) CheckGroup(op string, x, y, z, sharedBytes int) error {
	l := d.limits
	for i, n := range [3]int{x, y, z} {
		if n > l.GroupSize[i] {
			return &backend.LimitError{Op: op, What: fmt.Sprintf("workgroup size along %c", "xyz"[i]), Got: int64(n), Max: int64(l.GroupSize[i])}
		}
	}
	if n := x * y * z; n > l.Invocations {
		return &backend.LimitError{Op: op, What: "invocations of a workgroup", Got: int64(n), Max: int64(l.Invocations)}
	}
	if sharedBytes > l.SharedBytes {
		return &backend.LimitError{Op: op, What: "shared memory, bytes", Got: int64(sharedBytes), Max: int64(l.SharedBytes)}
	}
	return nil
}
