package backendtest

import "testing"

// reporter is what the suite needs of *testing.T. Its own tests run it with a
// recorder, to see that planted bugs are found.
type reporter interface {
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	// Fatalf is Errorf and does not return.
	Fatalf(format string, args ...any)
	Run(name string, f func(reporter))
}

type tReporter struct{ t *testing.T }

func (r tReporter) Logf(format string, args ...any)   { r.t.Logf(format, args...) }
func (r tReporter) Errorf(format string, args ...any) { r.t.Errorf(format, args...) }
func (r tReporter) Fatalf(format string, args ...any) { r.t.Fatalf(format, args...) }
func (r tReporter) Run(name string, f func(reporter)) {
	r.t.Run(name, func(t *testing.T) { f(tReporter{t}) })
}
