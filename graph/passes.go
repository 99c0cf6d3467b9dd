package graph

// passes in the order in which they run; each stands in a file pass_*.go.
var passes = []pass{
	{"dead-code", deadCode},
}
