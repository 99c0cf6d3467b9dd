// Package backend is the contract between what computes (package ref, the
// definition; package cpu; package gl) and what asks for it (graph, cnn, bench).
//
// # The life of a computation
//
//	be, err := backend.Open("cpu")               // a device
//	k, err := be.Prepare(ctx, backend.Desc{      // plan once:
//		Op: backend.Conv{Window: ...},           //   shapes, types, layouts,
//		In: []backend.TensorDesc{x, w, b},       //   never values
//	})
//	wbuf, err := be.Pack(ctx, wTensor, k.Info().In[1], k.Info().Formats[1])
//	err = k.Run(ctx, backend.Args{In: ..., Out: ..., Workspace: ...}) // often
//	err = be.Read(ctx, bytes, out)               // waits
//
// [RunOnce] does all of it for tests and scripts.
//
// # Order, layout, format
//
// A shape is always in logical order N, C, spatial. Where an element lies in
// memory is its [Layout], which the planner and the kernels choose and which is
// never visible in a shape. Constant inputs may need more than a layout (weights
// blocked for a microkernel): that is a [Format], known to one backend only and
// made by Pack.
//
// # Time and errors
//
// Run may return before the device has done the work; Read and Sync wait. A
// fault of the device that shows only later is returned by the next Read or
// Sync. A context cancels waiting, never work that is already enqueued.
// Everything of an open backend may be used from many goroutines, as long as
// no two runs in flight write the same memory.
package backend
