//go:build unix

package pb

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Pipes and sockets are refused, not waited for.
func TestExternalPipe(t *testing.T) {
	dir, d := modelFolder(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	done := make(chan error, 4)
	go func() {
		for _, name := range []string{"pipe", "socket"} {
			_, _, err := ext(1, "location", name).Value(ValueOptions{External: d})
			done <- err
			_, err = ReadFile(filepath.Join(dir, name), Limits{})
			done <- err
		}
	}()
	for range 4 {
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "want a regular file") {
				t.Errorf("got %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it waits")
		}
	}
}
