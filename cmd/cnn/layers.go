package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/onnx"
)

// layer is a value of a model and the node that makes it.
type layer struct {
	value, node, op string
	several         bool // the node makes other values too
}

// layers returns the inputs and the outputs of all nodes, in order.
func layers(m *onnx.Model) []layer {
	var list []layer
	for _, v := range m.Inputs() {
		list = append(list, layer{value: v.Name, op: "input"})
	}
	for _, n := range m.Nodes() {
		for _, value := range n.Out {
			if value != "" {
				list = append(list, layer{value, n.Name, n.Op, len(n.Out) > 1})
			}
		}
	}
	return list
}

// findLayer returns the layer with the name of a value or node.
func findLayer(list []layer, name string) (layer, error) {
	for _, of := range []func(layer) string{func(l layer) string { return l.value }, func(l layer) string { return l.node }} {
		if i := slices.IndexFunc(list, func(l layer) bool { return of(l) == name }); i >= 0 && name != "" {
			return list[i], nil
		}
	}
	var names []string
	for _, l := range list {
		names = append(names, l.value)
		if l.node != "" {
			names = append(names, l.node)
		}
	}
	near := nearest(names, name, 5)
	for i, s := range near {
		near[i] = clean(s)
	}
	return layer{}, cli.Usagef("-layer %s: there is no such node or value; the nearest are %s; -layer list has all", name, strings.Join(near, ", "))
}

// nearest returns up to n names: first those that hold the text or are a part of it,
// then those with the smallest edit distance.
func nearest(names []string, text string, n int) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	text = strings.ToLower(text)
	rank := map[string]int{}
	for _, s := range names {
		low := strings.ToLower(s)
		rank[s] = distance(low, text)
		if strings.Contains(low, text) || strings.Contains(text, low) {
			rank[s] -= 1 << 20
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	return names[:min(n, len(names))]
}

// distance returns how many bytes must be put in, left out or replaced to make b of a. Only
// the first 200 count.
func distance(a, b string) int {
	a, b = a[:min(len(a), 200)], b[:min(len(b), 200)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// printLayers lists layers, one a line.
func printLayers(out io.Writer, list []layer) error {
	rows := [][3]string{{"node", "op", "value"}}
	var width [2]int
	for _, l := range list {
		rows = append(rows, [3]string{clean(l.node), clean(l.op), clean(l.value)})
	}
	for _, r := range rows {
		for i := range width {
			width[i] = max(width[i], utf8.RuneCountInString(r[i]))
		}
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(out, "%s  %s  %s\n", pad(r[0], width[0]), pad(r[1], width[1]), r[2]); err != nil {
			return err
		}
	}
	return nil
}

// title names a layer by its node, where that is enough.
func (l layer) title() string {
	if l.node == "" || l.several {
		return clean(l.value)
	}
	return clean(l.node)
}

// fileName returns s with everything that a file's name should not hold replaced: it
// keeps letters and digits of any script, and begins with none of the marks between them.
func fileName(s string) string {
	const marks = "_.-"
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.L, unicode.M, unicode.N) || strings.ContainsRune(marks, r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(s, "_"))
	const most = 100 // bytes; two of them and a number are a name that every file system takes
	for len(s) > most {
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
	}
	return strings.Trim(s, marks)
}
