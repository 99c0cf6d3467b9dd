// Package graph holds a network as a graph of typed ops with named values, and
// makes it run on any backend.
//
// A [Graph] is built by [Graph.Input], [Graph.Const], [Graph.Apply] and
// [Graph.Output]; each node's shapes are inferred as it is added, with symbolic
// dims such as the batch left open. [Optimize] rewrites it by passes: folding,
// fusion, removal. [Compile] binds it to a backend; the resulting [Model] makes a
// [Plan] for each set of concrete input shapes (layouts, kernels, one arena) and
// runs it from any number of goroutines.
package graph
