package demo

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed page.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// section is a heading of the page with its pictures and what stands under them.
type section struct {
	Title  string
	Files  []file
	Tables []titled
}

// titled is a table, or text of fixed width, with its heading and a note.
type titled struct {
	Title string
	Table *table // nil: Text
	Text  string
	Note  string
}

// page returns index.html.
func (r *report) page(steps []*step, files []file) ([]byte, error) {
	ran := []string{}
	var missing []string
	for _, o := range r.backends {
		if o.err == nil {
			ran = append(ran, o.name)
		} else {
			missing = append(missing, fmt.Sprintf("%s did not run, so nothing is known about it: %s", o.name, oneLine(o.err)))
		}
	}
	failed := failures(steps)
	network := steps[stepNetwork]
	probabilities, models := r.probabilities(network), r.models(network)
	data := struct {
		Source                    string
		Height, Width             int
		Verdict                   string
		Failed                    bool
		Missing                   []string
		Sections                  []section
		Devices, Agreement, Speed table
		AgreementNote, SpeedNote  string
	}{
		Source: r.source, Height: r.height, Width: r.width,
		Verdict: verdictText(ran, failed), Failed: failed > 0, Missing: missing,
		Sections: []section{
			{Title: "Filters", Files: files[0:3]},
			{Title: "Pooling", Files: files[3:5]},
			{Title: "Network", Files: files[5:7], Tables: []titled{
				{Title: "Layers", Text: network.net.Summary()},
				{Title: "Class probabilities", Table: &probabilities},
				{Title: "Compiled model", Table: &models, Note: modelNote},
			}},
		},
		Devices: r.devices(), Agreement: r.agreement(steps), Speed: r.speed(steps),
		AgreementNote: agreementNote, SpeedNote: speedNote,
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("demo: index.html: %w", err)
	}
	return b.Bytes(), nil
}

// Cell is the text of a table's cell and its class in the style sheet.
type Cell struct{ Text, Class string }

// Cells returns the rows for the page.
func (t table) Cells() [][]Cell {
	rows := make([][]Cell, len(t.Rows))
	for i, r := range t.Rows {
		for c, s := range r {
			rows[i] = append(rows[i], Cell{s, t.class(c, s)})
		}
	}
	return rows
}

// Heads returns the head for the page.
func (t table) Heads() []Cell {
	var row []Cell
	for c, s := range t.Head {
		row = append(row, Cell{s, t.class(c, "")})
	}
	return row
}

func (t table) class(column int, text string) string {
	class := ""
	if column < len(t.Right) && t.Right[column] {
		class = "num"
	}
	for _, mark := range []struct{ prefix, class string }{{"pass", "pass"}, {"suspect", "suspect"}, {"FAIL", "fail"}, {"NOT RUN", "fail"}, {"not run", "fail"}, {"failed", "fail"}} {
		if strings.HasPrefix(text, mark.prefix) {
			class += " " + mark.class
		}
	}
	return class
}
