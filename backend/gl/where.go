//go:build cgo

package gl

func whereCandidates() []candidate {
	return []candidate{{"elementwise", func(p *plan) error { return planElementwise(p, "where.comp", "CXY") }}}
}
