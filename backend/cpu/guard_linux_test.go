package cpu

import (
	"syscall"
	"testing"
	"unsafe"
)

// newGuard returns a function that gives n elements, at most most, of memory between
// pages that may not be touched: the elements begin after the first such page or end
// before the second. An assembly kernel that reads or writes beyond ends the test
// program. Each call gives the same memory again.
func newGuard(t testing.TB, most int) func(n int, atEnd bool) []uint32 {
	t.Helper()
	page := syscall.Getpagesize()
	size := (4*most+page-1)/page*page + page
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(mem); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{mem[:page], mem[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	all := unsafe.Slice((*uint32)(unsafe.Pointer(&mem[page])), size/4)
	return func(n int, atEnd bool) []uint32 {
		if atEnd {
			return all[len(all)-n:]
		}
		return all[:n:n]
	}
}
