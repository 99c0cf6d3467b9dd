package bench

import (
	"errors"
	"slices"
	"testing"

	"github.com/convgl/convgl/backend"
)

func TestOpenTargets(t *testing.T) {
	var labels []string
	ts, err := OpenTargets([]string{"ref", "cpu", "cpu:generic"}, []int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range ts {
		labels = append(labels, x.Label)
		if x.Threads == 2 && x.Device().Threads != 2 {
			t.Errorf("%s has %d threads", x.Label, x.Device().Threads)
		}
	}
	if err := CloseTargets(ts); err != nil {
		t.Error(err)
	}
	if !slices.Equal(labels, []string{"ref/1", "cpu/1", "cpu/2", "cpu:generic/1", "cpu:generic/2"}) {
		t.Errorf("got %v", labels)
	}
	if p := ts[3].peer(); p != "convgl-cpu-generic" {
		t.Errorf("peer %q", p)
	}

	ts, err = OpenTargets([]string{"auto"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ts[0].Note == "" || ts[0].Label != ts[0].Name() {
		t.Errorf("auto: %+v", ts[0])
	}
	if err := CloseTargets(ts); err != nil {
		t.Error(err)
	}

	var missing *backend.UnavailableError
	ts, err = OpenTargets([]string{"cpu", "tpu"}, nil)
	if !errors.As(err, &missing) || ts != nil {
		t.Errorf("an unknown backend: %v, %v", ts, err)
	}
}
