// Package egl makes OpenGL contexts without a window system. It loads libEGL at
// run time and needs no cgo, no X server and no link to the library.
//
// [List] gives the places where a context may be had, in the order in which
// [Open] tries them: every device of EGL that is not marked as software, then
// Mesa's surfaceless platform, then the software devices. Surfaceless is not
// asked first because on a machine with another vendor's GPU it silently gives
// Mesa's software renderer. Whether a context is software is known for certain
// only from its GL_RENDERER.
package egl
