package bench

import (
	"strconv"
	"strings"

	"github.com/convgl/convgl/backend"
)

// position takes a position of Slice: a number, end, or end-5.
func (s *scanner) position() (int, error) {
	from, sign := 0, 1
	if s.accept("end") {
		if from, sign = backend.SliceEnd, -1; !s.accept("-") {
			return from, nil
		}
	} else if s.accept("-") {
		sign = -1
	}
	n, err := s.number()
	return from + sign*n, err
}

func formatPosition(p int) string {
	switch {
	case p == backend.SliceEnd:
		return "end"
	case p > backend.SliceEnd/2:
		return "end-" + strconv.Itoa(backend.SliceEnd-p)
	}
	return strconv.Itoa(p)
}

// positions takes a colon and a list of positions, for every dim of a Slice.
func (s *scanner) positions() ([]int, error) {
	err := s.expect(":")
	var list []int
	for more := err == nil; more; more = s.accept(",") {
		p, err := s.position()
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, err
}

func formatPositions(list []int) string {
	text := make([]string, len(list))
	for i, p := range list {
		text[i] = formatPosition(p)
	}
	return ":" + strings.Join(text, ",")
}

var sliceForm = form{
	prefix: "slice", grammar: "SHAPE:START,…:END,…[:STEP,…][:int32]   (end is the end of the dim, end-1 one before)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		var op backend.Slice
		if err == nil && len(d.In[0].Shape) > 0 {
			if op.Starts, err = s.positions(); err == nil {
				op.Ends, err = s.positions()
			}
			if err == nil && !s.int32(d.In) && s.accept(":") {
				op.Steps, err = s.signed(",")
			}
		}
		s.int32(d.In)
		d.Op = op
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Slice)
		if !ok {
			return "", false
		}
		text := formatShape(d.In[0].Shape)
		if len(op.Starts) > 0 {
			text += formatPositions(op.Starts) + formatPositions(op.Ends)
			if op.Steps != nil {
				text += ":" + strings.ReplaceAll(formatShape(op.Steps), "x", ",")
			}
		}
		return text + formatInt32(d.In[0]), true
	},
}

var expandForm = form{
	prefix: "expand", grammar: "SHAPE:SHAPE[:int32]   (both ways: 1 takes the other's size)",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		if err == nil {
			err = s.expect(":")
		}
		if err != nil {
			return d, err
		}
		shape, err := s.shape()
		s.int32(d.In)
		d.Op = backend.Expand{Shape: shape}
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Expand)
		if !ok {
			return "", false
		}
		return formatShape(d.In[0].Shape) + ":" + formatShape(op.Shape) + formatInt32(d.In[0]), true
	},
}

var tileForm = form{
	prefix: "tile", grammar: "SHAPE:REPEATS,…[:int32]",
	parse: func(s *scanner) (backend.Desc, error) {
		d, err := s.unary(nil)
		var op backend.Tile
		if err == nil && len(d.In[0].Shape) > 0 {
			if err = s.expect(":"); err == nil {
				op.Repeats, err = s.signed(",")
			}
		}
		s.int32(d.In)
		d.Op = op
		return d, err
	},
	format: func(d backend.Desc) (string, bool) {
		op, ok := d.Op.(backend.Tile)
		if !ok {
			return "", false
		}
		text := formatShape(d.In[0].Shape)
		if len(op.Repeats) > 0 {
			text += ":" + strings.ReplaceAll(formatShape(op.Repeats), "x", ",")
		}
		return text + formatInt32(d.In[0]), true
	},
}
