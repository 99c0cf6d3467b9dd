// Package bench states problems, runs them on backends, and reports what came
// out: is it right ([Verify], [Conform]), and how fast is it ([Perf], [Peers]).
// Results are judged by internal/check; backends are known by their contract
// only, so whoever imports bench also imports the backends that it shall find.
//
// A [Problem] is one op with its shapes, written as a line of text in the style
// of oneDNN's benchdnn: see [Parse] for the grammar.
package bench
