package graph

// passes in the order in which they run; each stands in a file pass_*.go. What
// removes nodes comes first, so that those which look at neighbours see them; what
// goes into weights comes before what takes a step of an epilogue.
var passes = []pass{
	{"dead-code", deadCode},
	{"identity", dropIdentities},
	{"constant-fold", foldConstants},
	{"cse", eliminateCommon},
	{"transpose", mergeTransposes},
	{"merge", mergeRuns},
	{"pad-fold", foldPads},
	{"matmul", matMulToDense},
	{"affine", foldAffine},
	{"epilogue", fuseEpilogues},
}
