//go:build cgo && !linux

package glfwctx

// onMainThread cannot be told here; GLFW itself reports what goes wrong.
func onMainThread() bool { return true }
