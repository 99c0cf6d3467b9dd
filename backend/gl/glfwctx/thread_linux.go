//go:build cgo

package glfwctx

import "golang.org/x/sys/unix"

func onMainThread() bool { return unix.Gettid() == unix.Getpid() }
