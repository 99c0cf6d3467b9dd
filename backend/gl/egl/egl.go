//go:build linux || freebsd || netbsd

package egl

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

const (
	platformDevice      = 0x313F // EGL_PLATFORM_DEVICE_EXT
	platformSurfaceless = 0x31DD // EGL_PLATFORM_SURFACELESS_MESA
	apiOpenGL           = 0x30A2
	attrNone            = 0x3038
	attrSurfaceType     = 0x3033
	attrRenderableType  = 0x3040
	bitPbuffer          = 0x0001
	bitOpenGL           = 0x0008
	attrMajor           = 0x3098
	attrMinor           = 0x30FB
	attrProfileMask     = 0x30FD
	bitCore             = 0x1
	attrContextDebug    = 0x31B0 // EGL_CONTEXT_OPENGL_DEBUG, EGL 1.5
	attrContextFlags    = 0x30FC // EGL_CONTEXT_FLAGS_KHR
	flagDebug           = 0x1
	attrRobustAccess    = 0x30BF // EGL_CONTEXT_OPENGL_ROBUST_ACCESS_EXT
	attrResetStrategy   = 0x3138 // EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_EXT
	loseContextOnReset  = 0x31BF
	attrWidth           = 0x3057
	attrHeight          = 0x3056
	nameExtensions      = 0x3055
	nameDRMFile         = 0x3233 // EGL_DRM_DEVICE_FILE_EXT
)

type library struct {
	getProcAddress       func(string) unsafe.Pointer
	queryString          func(dpy uintptr, name int32) string
	getError             func() int32
	initialize           func(dpy uintptr, major, minor *int32) uint32
	bindAPI              func(api uint32) uint32
	chooseConfig         func(dpy uintptr, attr *int32, cfg *uintptr, n int32, num *int32) uint32
	createContext        func(dpy, cfg, share uintptr, attr *int32) uintptr
	createPbufferSurface func(dpy, cfg uintptr, attr *int32) uintptr
	makeCurrent          func(dpy, draw, read, ctx uintptr) uint32
	destroyContext       func(dpy, ctx uintptr) uint32
	destroySurface       func(dpy, s uintptr) uint32
	releaseThread        func() uint32
	// From extensions; nil where there is none.
	queryDevices       func(max int32, devs *uintptr, n *int32) uint32
	queryDeviceString  func(dev uintptr, name int32) string
	getPlatformDisplay func(platform uint32, native uintptr, attr *int32) uintptr
}

// libraryNames are tried in order.
var libraryNames = []string{"libEGL.so.1", "libEGL.so"}

// The library is loaded once and never unloaded: drivers leave threads and exit
// handlers behind. A failure is not kept, so that a library installed meanwhile
// is found.
var loaded struct {
	sync.Mutex
	lib *library
}

func load() (*library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		return loaded.lib, nil
	}
	l, err := loadNames(libraryNames)
	if err == nil {
		loaded.lib = l
	}
	return l, err
}

func loadNames(names []string) (*library, error) {
	var h uintptr
	errs := []error{fmt.Errorf("egl: %w", ErrNoLibrary)}
	for _, n := range names {
		var err error
		if h, err = purego.Dlopen(n, purego.RTLD_NOW|purego.RTLD_GLOBAL); err == nil {
			break
		}
		errs = append(errs, err)
	}
	if h == 0 {
		return nil, errors.Join(errs...)
	}
	l := &library{}
	for _, f := range []struct {
		ptr  any
		name string
	}{
		{&l.getProcAddress, "eglGetProcAddress"},
		{&l.queryString, "eglQueryString"},
		{&l.getError, "eglGetError"},
		{&l.initialize, "eglInitialize"},
		{&l.bindAPI, "eglBindAPI"},
		{&l.chooseConfig, "eglChooseConfig"},
		{&l.createContext, "eglCreateContext"},
		{&l.createPbufferSurface, "eglCreatePbufferSurface"},
		{&l.makeCurrent, "eglMakeCurrent"},
		{&l.destroyContext, "eglDestroyContext"},
		{&l.destroySurface, "eglDestroySurface"},
		{&l.releaseThread, "eglReleaseThread"},
	} {
		a, err := purego.Dlsym(h, f.name)
		if err != nil {
			return nil, fmt.Errorf("egl: libEGL lacks %s: %w", f.name, err)
		}
		purego.RegisterFunc(f.ptr, a)
	}
	for _, f := range []struct {
		ptr  any
		name string
	}{
		{&l.queryDevices, "eglQueryDevicesEXT"},
		{&l.queryDeviceString, "eglQueryDeviceStringEXT"},
		{&l.getPlatformDisplay, "eglGetPlatformDisplayEXT"},
	} {
		if a := l.getProcAddress(f.name); a != nil {
			purego.RegisterFunc(f.ptr, uintptr(a))
		}
	}
	return l, nil
}

func (l *library) code() Code { return Code(l.getError()) }

func hasWord(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if w == word {
			return true
		}
	}
	return false
}

// List returns the places where a context may be had, in the order in which Open
// tries them. It makes no context. It fails when libEGL is missing
// ([ErrNoLibrary]; see [Hint]) or too old to name a platform.
func List() ([]Device, error) {
	l, err := load()
	if err != nil {
		return nil, err
	}
	if l.getPlatformDisplay == nil {
		return nil, errors.New("egl: libEGL lacks EGL_EXT_platform_base (GLVND or Mesa 10 and later have it)")
	}
	client := l.queryString(0, nameExtensions)
	var devs, soft []Device
	if l.queryDevices != nil && l.queryDeviceString != nil {
		handles, err := l.devices()
		if err != nil {
			return nil, err
		}
		for i, h := range handles {
			d := Device{
				Name:       fmt.Sprintf("device %d", i),
				Extensions: l.queryDeviceString(h, nameExtensions),
				platform:   platformDevice,
				native:     h,
			}
			if hasWord(d.Extensions, "EGL_EXT_device_drm") {
				if d.DRM = l.queryDeviceString(h, nameDRMFile); d.DRM != "" {
					d.Name += " " + d.DRM
				}
			}
			if d.Software = hasWord(d.Extensions, "EGL_MESA_device_software"); d.Software {
				d.Name = "software " + d.Name
				soft = append(soft, d)
			} else {
				devs = append(devs, d)
			}
		}
	}
	if hasWord(client, "EGL_MESA_platform_surfaceless") {
		devs = append(devs, Device{Name: "surfaceless", platform: platformSurfaceless})
	}
	devs = append(devs, soft...)
	for i := range devs {
		devs[i].Index = i
	}
	return devs, nil
}

func (l *library) devices() ([]uintptr, error) {
	var n int32
	if l.queryDevices(0, nil, &n) == 0 {
		return nil, fmt.Errorf("egl: eglQueryDevicesEXT: %w", l.code())
	}
	if n == 0 {
		return nil, nil
	}
	hs := make([]uintptr, n)
	if l.queryDevices(n, &hs[0], &n) == 0 {
		return nil, fmt.Errorf("egl: eglQueryDevicesEXT: %w", l.code())
	}
	return hs[:n], nil
}

// Context is an OpenGL 4.3 core context. It may be current on one thread at a
// time; its methods are not safe for concurrent use.
type Context struct {
	lib               *library
	dpy, ctx, surface uintptr
	device            Device
	robust            bool
}

// Open returns a context on this device that is current on no thread.
// Robustness with loss on reset is asked for where it is offered. Displays are
// shared by the process, so they are never terminated.
func (d Device) Open(o Options) (*Context, error) {
	l, err := load()
	if err != nil {
		return nil, err
	}
	// The error number and the bound API belong to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fail := func(call string) (*Context, error) {
		return nil, fmt.Errorf("egl: %s: %s: %w", d.Name, call, l.code())
	}
	if l.getPlatformDisplay == nil || d.platform == 0 {
		return nil, fmt.Errorf("egl: device %q is not from List", d.Name)
	}
	dpy := l.getPlatformDisplay(d.platform, d.native, nil)
	if dpy == 0 {
		return fail("eglGetPlatformDisplayEXT")
	}
	var major, minor int32
	if l.initialize(dpy, &major, &minor) == 0 {
		return fail("eglInitialize")
	}
	exts := l.queryString(dpy, nameExtensions)
	if l.bindAPI(apiOpenGL) == 0 {
		return fail("eglBindAPI(EGL_OPENGL_API)")
	}
	egl15 := major > 1 || minor >= 5
	if !egl15 && !hasWord(exts, "EGL_KHR_create_context") {
		return nil, fmt.Errorf("egl: %s: EGL %d.%d without EGL_KHR_create_context cannot make a 4.3 core context", d.Name, major, minor)
	}
	// Pbuffer configs exist on the device and surfaceless platforms of all vendors.
	cattr := []int32{attrSurfaceType, bitPbuffer, attrRenderableType, bitOpenGL, attrNone}
	var cfg uintptr
	var n int32
	if l.chooseConfig(dpy, &cattr[0], &cfg, 1, &n) == 0 {
		return fail("eglChooseConfig")
	}
	if n == 0 {
		return nil, fmt.Errorf("egl: %s: eglChooseConfig: no config with OpenGL and a pbuffer", d.Name)
	}
	c := &Context{lib: l, dpy: dpy, device: d}
	attrs := []int32{attrMajor, 4, attrMinor, 3, attrProfileMask, bitCore}
	if o.Debug {
		if egl15 {
			attrs = append(attrs, attrContextDebug, 1)
		} else {
			attrs = append(attrs, attrContextFlags, flagDebug)
		}
	}
	if hasWord(exts, "EGL_EXT_create_context_robustness") {
		r := append(attrs[:len(attrs):len(attrs)],
			attrRobustAccess, 1, attrResetStrategy, loseContextOnReset, attrNone)
		// Some drivers offer the extension for OpenGL ES only: then go on without.
		if c.ctx = l.createContext(dpy, cfg, 0, &r[0]); c.ctx != 0 {
			c.robust = true
		}
	}
	if c.ctx == 0 {
		attrs = append(attrs, attrNone)
		if c.ctx = l.createContext(dpy, cfg, 0, &attrs[0]); c.ctx == 0 {
			return fail("eglCreateContext(OpenGL 4.3 core)")
		}
	}
	if !hasWord(exts, "EGL_KHR_surfaceless_context") {
		pattr := []int32{attrWidth, 1, attrHeight, 1, attrNone}
		if c.surface = l.createPbufferSurface(dpy, cfg, &pattr[0]); c.surface == 0 {
			err := l.code()
			l.destroyContext(dpy, c.ctx)
			return nil, fmt.Errorf("egl: %s: eglCreatePbufferSurface: %w", d.Name, err)
		}
	}
	return c, nil
}

// Device returns where the context is.
func (c *Context) Device() Device { return c.device }

// String names the context, as "egl surfaceless".
func (c *Context) String() string { return "egl " + c.device.Name }

// Robust reports whether the context is lost, rather than the process, when the
// device is reset.
func (c *Context) Robust() bool { return c.robust }

// MakeCurrent makes the context current on the calling thread, which the caller
// must have locked. It fails when it is current on another thread or destroyed.
func (c *Context) MakeCurrent() error {
	if c.ctx == 0 {
		return fmt.Errorf("%v: eglMakeCurrent after Destroy", c)
	}
	if c.lib.bindAPI(apiOpenGL) == 0 { // state of the thread
		return fmt.Errorf("%v: eglBindAPI: %w", c, c.lib.code())
	}
	if c.lib.makeCurrent(c.dpy, c.surface, c.surface, c.ctx) == 0 {
		return fmt.Errorf("%v: eglMakeCurrent: %w", c, c.lib.code())
	}
	return nil
}

// Release leaves the calling thread without a current context and frees what EGL
// keeps for the thread.
func (c *Context) Release() error {
	var errs []error
	if c.lib.makeCurrent(c.dpy, 0, 0, 0) == 0 {
		errs = append(errs, fmt.Errorf("%v: eglMakeCurrent(none): %w", c, c.lib.code()))
	}
	if c.lib.releaseThread() == 0 {
		errs = append(errs, fmt.Errorf("%v: eglReleaseThread: %w", c, c.lib.code()))
	}
	return errors.Join(errs...)
}

// Destroy frees the context, which must be current on no thread. It is
// idempotent.
func (c *Context) Destroy() error {
	if c.ctx == 0 {
		return nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var errs []error
	if c.surface != 0 && c.lib.destroySurface(c.dpy, c.surface) == 0 {
		errs = append(errs, fmt.Errorf("%v: eglDestroySurface: %w", c, c.lib.code()))
	}
	if c.lib.destroyContext(c.dpy, c.ctx) == 0 {
		errs = append(errs, fmt.Errorf("%v: eglDestroyContext: %w", c, c.lib.code()))
	}
	c.ctx, c.surface = 0, 0
	return errors.Join(errs...)
}

// ProcAddr returns the address of a function of OpenGL or EGL, or nil. Addresses
// do not depend on the context.
func (c *Context) ProcAddr(name string) unsafe.Pointer { return c.lib.getProcAddress(name) }
