// Package device owns an OpenGL 4.3 context: one locked OS thread that drains a
// queue of commands, and what they work on (buffers, texel views, programs,
// fences, time stamps). It knows nothing of ops; kernels are written against it.
//
// # Threads
//
// A [Device] is safe for concurrent use. [Device.Do] enqueues a command and
// returns at once; [Device.Call] enqueues one and waits. Commands run in the order
// in which they were enqueued, and get a [Thread], the right to speak to GL. A
// Thread must not be kept, and a command must not call Do, Call or any other
// method of Device that waits: it would wait for itself.
//
// # Errors
//
// The error of a command enqueued by Do has no caller left to return to. The
// first one sticks: every later Call, Read and Sync returns it and does nothing
// else, so that no result computed after a failure is taken for good, until
// [Device.ClearErr] takes it away. A lost device stays lost.
//
// # Global state
//
// The GL functions of go-gl are package variables, loaded once, by the first
// device of the process. With EGL and GLX function addresses do not depend on the
// context, so several devices can be open at once.
package device
