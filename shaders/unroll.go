package shaders

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// Bounds on what #unroll may write, against a mistake in a count.
const (
	maxUnroll = 256
	maxText   = 1 << 20
)

var (
	unrollArgs = regexp.MustCompile(`^\s+([A-Za-z_]\w*)\s+(.+?)\s*(//.*)?$`)
	word       = regexp.MustCompile(`[A-Za-z_]\w*|\d\w*`) // digits, so that 2u is no u
)

// unroll writes the block that opens at lines[at] and returns the line of its end.
// Values are those of the blocks around it.
func (x *expander) unroll(id int, lines []string, at int, values map[string]int) (end int, err error) {
	fail := func(line int, format string, args ...any) (int, error) {
		return 0, fmt.Errorf("shaders: %s:%d: %s", x.src.Files[id], line+1, fmt.Sprintf(format, args...))
	}
	m := directive.FindStringSubmatch(lines[at])
	if m[1] == "endunroll" {
		return fail(at, "got #endunroll, want an #unroll before it")
	}
	args := unrollArgs.FindStringSubmatch(m[2])
	if args == nil {
		return fail(at, "got %q, want #unroll word count", strings.TrimSpace(lines[at]))
	}
	name := args[1]
	if _, taken := values[name]; taken || x.defines[name] != "" {
		return fail(at, "#unroll: %s is the word of an outer block or a define", name)
	}
	count, err := x.count(args[2], values, 0)
	if err != nil {
		return fail(at, "#unroll: count %q: %v", args[2], err)
	}
	if count < 0 || count > maxUnroll {
		return fail(at, "#unroll: count %q: got %d, want 0 to %d", args[2], count, maxUnroll)
	}
	if end, err = x.blockEnd(lines, at); err != nil {
		return fail(at, "%v", err)
	}
	inner := map[string]int{}
	for k, v := range values {
		inner[k] = v
	}
	for i := range count {
		inner[name] = i
		x.lineMark(id, at+2)
		for n := at + 1; n < end; n++ {
			switch m := directive.FindStringSubmatch(lines[n]); {
			case m == nil:
				x.line(replaceWords(lines[n], inner))
			case m[1] == "unroll":
				if n, err = x.unroll(id, lines, n, inner); err != nil {
					return 0, err
				}
				x.lineMark(id, n+2)
			default:
				return fail(n, "got #%s, want none within #unroll", m[1])
			}
			if x.out.Len() > maxText {
				return fail(n, "#unroll: the text grows beyond %d bytes", maxText)
			}
		}
	}
	return end, nil
}

// blockEnd finds the #endunroll of the block that opens at lines[at].
func (x *expander) blockEnd(lines []string, at int) (int, error) {
	depth := 0
	for n := at; n < len(lines); n++ {
		if m := directive.FindStringSubmatch(lines[n]); m != nil {
			switch m[1] {
			case "unroll":
				depth++
			case "endunroll":
				if depth--; depth == 0 {
					return n, nil
				}
			}
		}
	}
	return 0, fmt.Errorf("#unroll without #endunroll")
}

func replaceWords(line string, values map[string]int) string {
	return word.ReplaceAllStringFunc(line, func(w string) string {
		if v, ok := values[w]; ok {
			return strconv.Itoa(v)
		}
		return w
	})
}

// count evaluates an expression of integers, defines and block words, with the
// operators + - * / and parentheses. Defines may name other defines; depth guards
// against those that name themselves.
func (x *expander) count(text string, values map[string]int, depth int) (int, error) {
	if depth > 16 {
		return 0, fmt.Errorf("defines go round in circles")
	}
	e, err := parser.ParseExpr(text)
	if err != nil {
		return 0, fmt.Errorf("want an expression of integers and defines")
	}
	var eval func(ast.Expr) (int, error)
	eval = func(e ast.Expr) (int, error) {
		switch e := e.(type) {
		case *ast.BasicLit:
			if e.Kind == token.INT {
				return strconv.Atoi(e.Value)
			}
		case *ast.ParenExpr:
			return eval(e.X)
		case *ast.Ident:
			if v, ok := values[e.Name]; ok {
				return v, nil
			}
			if v, ok := x.defines[e.Name]; ok {
				return x.count(v, values, depth+1)
			}
			return 0, fmt.Errorf("%s is neither a define nor the word of an outer block", e.Name)
		case *ast.BinaryExpr:
			a, err := eval(e.X)
			if err != nil {
				return 0, err
			}
			b, err := eval(e.Y)
			if err != nil {
				return 0, err
			}
			switch {
			case e.Op == token.ADD:
				return a + b, nil
			case e.Op == token.SUB:
				return a - b, nil
			case e.Op == token.MUL:
				return a * b, nil
			case e.Op == token.QUO && b != 0:
				return a / b, nil
			}
		}
		return 0, fmt.Errorf("want + - * / of integers and defines")
	}
	return eval(e)
}
