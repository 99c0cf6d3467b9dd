//go:build cgo

package device

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/go-gl/gl/v4.3-core/gl"
)

// messageLog collects the messages of one debug context. The driver calls back on
// the thread that made the mistake, inside the call (synchronous output), but one
// that uses a thread of its own must not hurt.
type messageLog struct {
	key *byte // identifies the log to C
	pin runtime.Pinner
	mu  sync.Mutex
	got []string
}

// logs finds a context's log: go-gl has one callback for the whole process.
var logs sync.Map // of unsafe.Pointer to *messageLog

// maxMessages bounds what one command can pile up.
const maxMessages = 32

func listen() *messageLog {
	l := &messageLog{key: new(byte)}
	l.pin.Pin(l.key)
	logs.Store(unsafe.Pointer(l.key), l)
	gl.Enable(gl.DEBUG_OUTPUT)
	gl.Enable(gl.DEBUG_OUTPUT_SYNCHRONOUS)
	gl.DebugMessageControl(gl.DONT_CARE, gl.DONT_CARE, gl.DEBUG_SEVERITY_NOTIFICATION, 0, nil, false)
	gl.DebugMessageCallback(onMessage, unsafe.Pointer(l.key))
	return l
}

func (l *messageLog) close() {
	gl.Disable(gl.DEBUG_OUTPUT)
	logs.Delete(unsafe.Pointer(l.key))
	l.pin.Unpin()
}

func onMessage(source, kind, id, severity uint32, length int32, message string, user unsafe.Pointer) {
	v, ok := logs.Load(user)
	if !ok || !isMistake(kind, severity) {
		return
	}
	l := v.(*messageLog)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.got) < maxMessages {
		l.got = append(l.got, fmt.Sprintf("debug message %d (%s): %s", id, kindName(kind), strings.TrimSpace(message)))
	}
}

// isMistake tells errors from advice: performance hints of medium severity are
// common in correct programs.
func isMistake(kind, severity uint32) bool {
	if severity != gl.DEBUG_SEVERITY_HIGH && severity != gl.DEBUG_SEVERITY_MEDIUM {
		return false
	}
	switch kind {
	case gl.DEBUG_TYPE_ERROR, gl.DEBUG_TYPE_UNDEFINED_BEHAVIOR:
		return true
	case gl.DEBUG_TYPE_PERFORMANCE:
		return false
	}
	return severity == gl.DEBUG_SEVERITY_HIGH
}

func kindName(kind uint32) string {
	switch kind {
	case gl.DEBUG_TYPE_ERROR:
		return "error"
	case gl.DEBUG_TYPE_UNDEFINED_BEHAVIOR:
		return "undefined behavior"
	case gl.DEBUG_TYPE_DEPRECATED_BEHAVIOR:
		return "deprecated"
	case gl.DEBUG_TYPE_PORTABILITY:
		return "portability"
	}
	return "other"
}

// take returns the messages since the last call.
func (l *messageLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.got
	l.got = nil
	return got
}
