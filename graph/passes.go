package graph

// passes in the order in which they run; each stands in a file pass_*.go. What
// removes nodes comes first, so that those which look at neighbours see them, and what
// is computed twice is folded to one constant; what
// goes into weights comes before what takes a step of an epilogue.
var passes = []pass{
	{"dead-code", deadCode},
	{"identity", dropIdentities},
	{"expand", dropExpands},
	{"cse", eliminateCommon},
	{"constant-fold", foldConstants},
	{"activation", fuseActivations},
	{"transpose", mergeTransposes},
	{"merge", mergeRuns},
	{"pad-fold", foldPads},
	{"matmul", matMulToDense},
	{"affine", foldAffine},
	{"epilogue", fuseEpilogues},
}
