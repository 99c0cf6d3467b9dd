package safetensors

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/convgl/convgl/tensor"
)

const (
	maxHeader   = 100_000_000 // the reference implementation's
	metadataKey = "__metadata__"
)

// An entry is what a header says of one tensor.
type entry struct {
	name       string
	dtype      string
	elem       elemType
	shape      tensor.Shape
	begin, end int // bytes of the data
}

// A header is the checked content of a file's header.
type header struct {
	entries  []entry
	index    map[string]int // entries by name
	metadata map[string]string
}

// parseHeader reads the JSON of a header in front of dataSize bytes of data, and
// checks everything that the format demands.
func parseHeader(text string, dataSize int64) (*header, error) {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) {
			return nil, fmt.Errorf("header: byte %d: got %s, want UTF-8", i, quote(text[i:]))
		}
	}
	h := &header{index: map[string]int{}}
	s := &scanner{text: text}
	if text == "" || text[0] != '{' {
		return nil, fmt.Errorf("header: %w", s.errorf("%q", '{'))
	}
	err := s.object(func(key string) error {
		if key == metadataKey {
			return h.scanMetadata(s)
		}
		if _, twice := h.index[key]; twice {
			return fmt.Errorf("tensor %s: comes twice, want each name once", quote(key))
		}
		e, err := scanEntry(s, key)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", quote(key), err)
		}
		h.index[key] = len(h.entries)
		h.entries = append(h.entries, e)
		return nil
	})
	if s.next(); err == nil && s.pos < len(text) {
		err = s.errorf("nothing but blanks after the header's object")
	}
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return h, h.checkCover(dataSize)
}

// scanMetadata takes the object of free texts.
func (h *header) scanMetadata(s *scanner) error {
	if h.metadata != nil {
		return fmt.Errorf("%s: comes twice, want it once", metadataKey)
	}
	h.metadata = map[string]string{}
	err := s.object(func(key string) error {
		if _, twice := h.metadata[key]; twice {
			return fmt.Errorf("key %s comes twice, want each once", quote(key))
		}
		value, err := s.string()
		h.metadata[key] = value
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", metadataKey, err)
	}
	return nil
}

// scanEntry takes the object of one tensor and checks it as far as it stands
// alone.
func scanEntry(s *scanner, name string) (entry, error) {
	e := entry{name: name}
	var offsets []int
	seen := map[string]bool{}
	err := s.object(func(key string) (err error) {
		if seen[key] {
			return fmt.Errorf("key %s comes twice, want each once", quote(key))
		}
		seen[key] = true
		switch key {
		case "dtype":
			e.dtype, err = s.string()
		case "shape":
			e.shape, err = s.numbers(tensor.MaxRank)
		case "data_offsets":
			offsets, err = s.numbers(2)
		default:
			return fmt.Errorf("unknown key %s, want dtype, shape and data_offsets", quote(key))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return e, err
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			return e, fmt.Errorf("key %s is missing", key)
		}
	}

	var ok bool
	if e.elem, ok = elemTypes[e.dtype]; !ok {
		return e, fmt.Errorf("dtype %s is unknown, want %s: %w", quote(e.dtype), readable, errors.ErrUnsupported)
	}
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		return e, fmt.Errorf("data_offsets: got %v, want a begin and an end that is not before it", offsets)
	}
	e.begin, e.end = offsets[0], offsets[1]
	n, err := e.shape.Elems()
	if err != nil {
		return e, err
	}
	if want := n * e.elem.size; e.end-e.begin != want { // Elems leaves room for 8 bytes an element
		return e, fmt.Errorf("data_offsets [%d, %d]: got %d bytes, want %d for %s of shape %v", e.begin, e.end, e.end-e.begin, want, e.dtype, e.shape)
	}
	return e, nil
}

// checkCover checks that the tensors cover the data: each byte once.
func (h *header) checkCover(dataSize int64) error {
	order := make([]*entry, len(h.entries))
	for i := range h.entries {
		e := &h.entries[i]
		if int64(e.end) > dataSize {
			return fmt.Errorf("tensor %s: data_offsets [%d, %d]: got %d bytes of data in the file (was it cut off?): %w", quote(e.name), e.begin, e.end, dataSize, io.ErrUnexpectedEOF)
		}
		order[i] = e
	}
	slices.SortStableFunc(order, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	end, before := 0, "the begin of the data"
	for _, e := range order {
		if e.begin != end {
			fault := "a hole"
			if e.begin < end {
				fault = "an overlap"
			}
			return fmt.Errorf("tensor %s: data_offsets [%d, %d]: got %s, want the begin at byte %d, after %s", quote(e.name), e.begin, e.end, fault, end, before)
		}
		end, before = e.end, "tensor "+quote(e.name)
	}
	if int64(end) != dataSize {
		return fmt.Errorf("got %d bytes of data, want %d, the end of %s", dataSize, end, before)
	}
	return nil
}
