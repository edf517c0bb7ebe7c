// Lists the names of the metrics that Go programs expose, as their source and, where they run, their /metrics say:
//
//	go run . -o ../../crates/check/catalogue/NAME.txt -source 'WHAT, VERSION' [-scraped FILE] DIRECTORY...
//
// A name is found where the client library is given one: in `Opts` with `Namespace`, `Subsystem` and `Name`, and in the
// arguments of `BuildFQName` and `NewDesc`. Parts that are no constants are passed over.
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

var (
	out     = flag.String("o", "", "the file to write")
	source  = flag.String("source", "", "what the names are of")
	scraped = flag.String("scraped", "", "what a running program said under /metrics")
	literal = flag.String("literal", "", "an expression for texts that are names wherever they stand")

	name   = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9A-Z]+)+$`)
	suffix = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// reader holds the constants of all packages, by package and name.
type reader struct {
	constants map[string]ast.Expr
	names     map[string]bool
	// aliases are those of the file that is read, for the packages it imports.
	aliases map[string]string
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	r := reader{constants: map[string]ast.Expr{}, names: map[string]bool{}}
	var files []*ast.File
	for _, dir := range flag.Args() {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "vendor") {
				return filepath.SkipDir
			}
			if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err == nil {
				files = append(files, file)
				r.collect(file)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, file := range files {
		r.find(file)
	}
	if *scraped != "" {
		text, err := os.ReadFile(*scraped)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(string(text), "\n") {
			if words := strings.Fields(line); len(words) > 3 && words[0] == "#" && words[1] == "TYPE" {
				r.names[words[2]] = true
			}
		}
	}
	var names []string
	for name := range r.names {
		base := suffix.ReplaceAllString(name, "")
		if base == name || !r.names[base] {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	text := "# " + *source + "\n" + strings.Join(names, "\n") + "\n"
	return os.WriteFile(*out, []byte(text), 0o644)
}

func (r *reader) collect(file *ast.File) {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || (general.Tok != token.CONST && general.Tok != token.VAR) {
			continue
		}
		for _, spec := range general.Specs {
			values := spec.(*ast.ValueSpec)
			for i, ident := range values.Names {
				if i < len(values.Values) {
					r.constants[file.Name.Name+"."+ident.Name] = values.Values[i]
				}
			}
		}
	}
}

func (r *reader) find(file *ast.File) {
	pkg := file.Name.Name
	r.aliases = map[string]string{}
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && spec.Name != nil {
			r.aliases[spec.Name.Name] = path[strings.LastIndex(path, "/")+1:]
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CompositeLit:
			if strings.HasSuffix(typeName(node.Type), "Opts") {
				r.opts(pkg, node)
			}
		case *ast.CallExpr:
			switch typeName(node.Fun) {
			case "BuildFQName":
				if len(node.Args) == 3 {
					r.add(pkg, node.Args...)
				}
			case "NewDesc":
				if len(node.Args) > 0 {
					r.add(pkg, node.Args[0])
				}
			}
		case *ast.BasicLit:
			if *literal != "" && node.Kind == token.STRING {
				text, err := strconv.Unquote(node.Value)
				if err == nil && regexp.MustCompile(*literal).MatchString(text) {
					r.names[text] = true
				}
			}
		}
		return true
	})
}

func (r *reader) opts(pkg string, node *ast.CompositeLit) {
	parts := map[string]ast.Expr{}
	for _, element := range node.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok {
				parts[key.Name] = pair.Value
			}
		}
	}
	if parts["Name"] == nil {
		return
	}
	r.add(pkg, parts["Namespace"], parts["Subsystem"], parts["Name"])
}

func (r *reader) add(pkg string, parts ...ast.Expr) {
	var words []string
	for _, part := range parts {
		if part == nil {
			continue
		}
		text, ok := r.text(pkg, part, 0)
		if !ok {
			return
		}
		if text != "" {
			words = append(words, text)
		}
	}
	if full := strings.Join(words, "_"); name.MatchString(full) {
		r.names[full] = true
	}
}

func (r *reader) text(pkg string, expr ast.Expr, depth int) (string, bool) {
	if depth > 8 {
		return "", false
	}
	switch expr := expr.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(expr.Value)
		return text, err == nil && expr.Kind == token.STRING
	case *ast.ParenExpr:
		return r.text(pkg, expr.X, depth+1)
	case *ast.Ident:
		value, ok := r.constants[pkg+"."+expr.Name]
		if !ok {
			return "", false
		}
		return r.text(pkg, value, depth+1)
	case *ast.SelectorExpr:
		of, ok := expr.X.(*ast.Ident)
		if !ok {
			return "", false
		}
		from := of.Name
		if real, ok := r.aliases[from]; ok {
			from = real
		}
		value, ok := r.constants[from+"."+expr.Sel.Name]
		if !ok {
			return "", false
		}
		return r.text(from, value, depth+1)
	case *ast.BinaryExpr:
		left, first := r.text(pkg, expr.X, depth+1)
		right, second := r.text(pkg, expr.Y, depth+1)
		return left + right, first && second && expr.Op == token.ADD
	}
	return "", false
}

func typeName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr.Name
	case *ast.SelectorExpr:
		return expr.Sel.Name
	case *ast.UnaryExpr:
		return typeName(expr.X)
	}
	return ""
}
