// Lists the metrics that Go programs expose and the labels these have, as their source, their documentation and, where
// they run, their /metrics say; `./generate` does so for all lists:
//
//	go run . -o ../../crates/check/catalogue/NAME.txt -source 'WHAT, VERSION' [-scraped FILE] DIRECTORY...
//
// A name is found where the client library is given one: in `Opts` with `Namespace`, `Subsystem` and `Name`, in the
// arguments of `BuildFQName` and `NewDesc`, and where kube-state-metrics and cAdvisor say theirs. Parts that are no
// constants are passed over.
//
// A line is a name, and its labels in braces if all of them are known: those it is made with, and constant ones. What is
// registered with more labels may have them on any of its metrics: the line `*{…}` lists these.
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
	whole   = flag.String("whole", "^(go|process|promhttp)_", "an expression for names whose labels are those that were scraped")
	literal = flag.String("literal", "", "an expression for texts that are names wherever they stand")
	others  = flag.String("others", "", "a list with metrics that are told of elsewhere")
	added   = flag.String("added", "", "labels that a registry adds without saying so, with commas between")

	documented, tables, bases repeated

	name   = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9A-Z]+)+$`)
	suffix = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// repeated is a flag that may be given more than once.
type repeated []string

func (r *repeated) String() string     { return strings.Join(*r, " ") }
func (r *repeated) Set(v string) error { *r = append(*r, v); return nil }

// labels are those of a metric; there may be more if it is open.
type labels struct {
	names map[string]bool
	open  bool
}

func (l *labels) add(other labels) {
	if l.names == nil {
		l.names = map[string]bool{}
	}
	for name := range other.names {
		l.names[name] = true
	}
	l.open = l.open || other.open
}

func (l labels) String() string {
	if l.open {
		return ""
	}
	return "{" + strings.Join(sorted(l.names), ",") + "}"
}

func labelled(names ...string) labels {
	l := labels{names: map[string]bool{}}
	for _, name := range names {
		l.names[name] = true
	}
	return l
}

func sorted[V any](of map[string]V) []string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// reader holds the constants of all packages, by directory and name.
type reader struct {
	constants map[string]ast.Expr
	// directories are those of the packages, by the last part of their paths.
	directories map[string][]string
	metrics     map[string]*labels
	// closed are the metrics whose labels are documented, whatever the source says.
	closed map[string]bool
	// registered are the labels that registries add.
	registered labels
	// imports are the directories of the packages that the file imports, by the names it gives them.
	imports map[string]string
	// locals are the values that variables of the function have.
	locals map[string][]ast.Expr
	// defaults are the labels that all metrics of a file of kube-state-metrics have.
	defaults labels
	handled  map[ast.Node]bool
}

func init() {
	flag.Var(&documented, "documented", "a list of metrics as Kubernetes documents its own")
	flag.Var(&tables, "tables", "a directory of tables as kube-state-metrics documents its metrics")
	flag.Var(&bases, "base", "PREFIX=LABEL,…: labels of all metrics of cAdvisor that begin so")
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	r := reader{constants: map[string]ast.Expr{}, metrics: map[string]*labels{}, closed: map[string]bool{}, directories: map[string][]string{}, handled: map[ast.Node]bool{}}
	type parsed struct {
		dir  string
		file *ast.File
	}
	var files []parsed
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
				files = append(files, parsed{filepath.Dir(path), file})
				r.collect(filepath.Dir(path), file)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, parsed := range files {
		r.find(parsed.dir, parsed.file)
	}
	for _, file := range documented {
		if err := r.documented(file); err != nil {
			return err
		}
	}
	for _, dir := range tables {
		if err := r.tables(dir); err != nil {
			return err
		}
	}
	if *added != "" {
		r.registered.add(labelled(strings.Split(*added, ",")...))
	}
	if *scraped != "" {
		if err := r.scraped(*scraped); err != nil {
			return err
		}
	}
	if *others != "" {
		if err := r.others(*others); err != nil {
			return err
		}
	}
	for _, base := range bases {
		prefix, names, _ := strings.Cut(base, "=")
		for name, metric := range r.metrics {
			if strings.HasPrefix(name, prefix) {
				metric.add(labelled(strings.Split(names, ",")...))
				r.closed[name] = true
			}
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n", *source)
	if len(r.registered.names) > 0 {
		r.registered.open = false
		fmt.Fprintf(&text, "*%s\n", r.registered)
	}
	for _, name := range sorted(r.metrics) {
		base := suffix.ReplaceAllString(name, "")
		if base == name || r.metrics[base] == nil {
			if r.closed[name] {
				r.metrics[name].open = false
			}
			fmt.Fprintf(&text, "%s%s\n", name, r.metrics[name])
		}
	}
	return os.WriteFile(*out, []byte(text.String()), 0o644)
}

func lines(path string, each func(string)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(text), "\n") {
		each(line)
	}
	return nil
}

var (
	sample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? `)
	label  = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"`)
)

// scraped adds what a running program exposes: all names, and labels that the source does not show.
func (r *reader) scraped(path string) error {
	types := map[string]string{}
	wholly := regexp.MustCompile(*whole)
	return lines(path, func(line string) {
		if words := strings.Fields(line); len(words) > 3 && words[0] == "#" && words[1] == "TYPE" {
			types[words[2]] = words[3]
			if r.metrics[words[2]] == nil {
				r.metrics[words[2]] = &labels{open: !wholly.MatchString(words[2])}
			}
			return
		}
		found := sample.FindStringSubmatch(line)
		if found == nil {
			return
		}
		full := found[1]
		if types[full] == "" {
			full = suffix.ReplaceAllString(full, "")
		}
		metric := r.metrics[full]
		if metric == nil {
			return
		}
		for _, pair := range label.FindAllStringSubmatch(found[2], -1) {
			if pair[1] == "le" || pair[1] == "quantile" {
				continue
			}
			if !metric.open && !metric.names[pair[1]] && !r.registered.names[pair[1]] && !wholly.MatchString(full) {
				fmt.Fprintf(os.Stderr, "%s has a label %s that its source does not show\n", full, pair[1])
			}
			metric.add(labelled(pair[1]))
		}
	})
}

// others adds the lines of a list as this program writes them.
func (r *reader) others(path string) error {
	return lines(path, func(line string) {
		full, rest, found := strings.Cut(line, "{")
		if !found || strings.HasPrefix(line, "#") {
			return
		}
		metric := labels{}
		metric.add(labelled(strings.FieldsFunc(rest, func(c rune) bool { return c == ',' || c == '}' })...))
		r.merge(full, metric)
	})
}

// documented adds metrics and labels from the list that Kubernetes makes of its own source.
func (r *reader) documented(path string) error {
	entry := map[string]string{}
	metric := labels{}
	list := ""
	done := func() {
		parts := []string{}
		for _, key := range []string{"namespace", "subsystem", "name"} {
			if entry[key] != "" {
				parts = append(parts, entry[key])
			}
		}
		if full := strings.Join(parts, "_"); name.MatchString(full) {
			r.merge(full, metric)
			r.closed[full] = true
		}
		entry, metric, list = map[string]string{}, labels{}, ""
	}
	err := lines(path, func(line string) {
		if strings.HasPrefix(line, "- ") {
			done()
			line = "  " + line[2:]
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch {
		case strings.HasPrefix(line, "  - ") && list == "labels":
			metric.add(labelled(strings.Trim(strings.TrimSpace(line)[2:], `"'`)))
		case strings.HasPrefix(line, "    ") && list == "constLabels":
			metric.add(labelled(strings.Trim(key, `"'`)))
		case strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") && !strings.HasPrefix(line, "  - "):
			list = key
			if key == "namespace" || key == "subsystem" || key == "name" {
				entry[key] = value
			}
		}
	})
	done()
	return err
}

var (
	code = regexp.MustCompile("`([a-zA-Z_][a-zA-Z0-9_]*) ?=?`")
	caps = regexp.MustCompile(`[A-Z]`)
)

// tables adds the labels that kube-state-metrics documents.
func (r *reader) tables(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".md") {
			return err
		}
		column := -1
		return lines(path, func(line string) {
			cells := strings.Split(strings.ReplaceAll(line, `\|`, "/"), "|")
			if len(cells) < 4 {
				return
			}
			for i, cell := range cells {
				if strings.Contains(cell, "Labels/tags") {
					column = i
				}
			}
			full := strings.TrimSpace(cells[1])
			if column < 0 || column >= len(cells) || !name.MatchString(full) || r.metrics[full] == nil {
				return
			}
			// Labels of objects become labels, whether the table says so or not.
			r.closed[full] = !strings.HasSuffix(full, "_labels") && !strings.HasSuffix(full, "_annotations")
			for _, found := range code.FindAllStringSubmatch(cells[column], -1) {
				if caps.MatchString(found[1]) {
					r.closed[full] = false
					r.metrics[full].open = true
				} else {
					r.metrics[full].add(labelled(found[1]))
				}
			}
		})
	})
}

func (r *reader) collect(dir string, file *ast.File) {
	last := filepath.Base(unversioned(dir))
	if known := r.directories[last]; len(known) == 0 || known[len(known)-1] != dir {
		r.directories[last] = append(known, dir)
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || (general.Tok != token.CONST && general.Tok != token.VAR) {
			continue
		}
		for _, spec := range general.Specs {
			values := spec.(*ast.ValueSpec)
			for i, ident := range values.Names {
				if i < len(values.Values) {
					r.constants[dir+"."+ident.Name] = values.Values[i]
				}
			}
		}
	}
}

func (r *reader) find(pkg string, file *ast.File) {
	r.imports = map[string]string{}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		last := path[strings.LastIndex(path, "/")+1:]
		called := last
		if spec.Name != nil {
			called = spec.Name.Name
		}
		for _, dir := range r.directories[last] {
			if strings.HasSuffix(unversioned(dir), path) {
				r.imports[called] = dir
			}
		}
	}
	r.defaults = labels{}
	for _, decl := range file.Decls {
		r.inspect(decl, func(node ast.Node) bool {
			if ident, ok := node.(*ast.Ident); ok && strings.HasPrefix(ident.Name, "desc") && strings.HasSuffix(ident.Name, "DefaultLabels") {
				r.defaults.add(r.labels(pkg, ident, 0))
			}
			return true
		})
	}
	for _, decl := range file.Decls {
		r.inspect(decl, func(node ast.Node) bool { return r.visit(pkg, node) })
	}
}

var at = regexp.MustCompile(`@[^/]*|/v[0-9]+(@[^/]*)?$`)

// unversioned is a directory of the module cache as imports name it.
func unversioned(dir string) string { return at.ReplaceAllString(dir, "") }

// inspect walks through a declaration, whose variables are known then.
func (r *reader) inspect(decl ast.Decl, visit func(ast.Node) bool) {
	r.locals = map[string][]ast.Expr{}
	if _, ok := decl.(*ast.FuncDecl); ok {
		ast.Inspect(decl, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.AssignStmt:
				for i, left := range node.Lhs {
					if ident, ok := left.(*ast.Ident); ok && len(node.Lhs) == len(node.Rhs) {
						r.locals[ident.Name] = append(r.locals[ident.Name], node.Rhs[i])
					} else if ok {
						// One of several results of a call.
						r.locals[ident.Name] = append(r.locals[ident.Name], node.Rhs[0])
					}
				}
			case *ast.ValueSpec:
				for i, ident := range node.Names {
					if i < len(node.Values) {
						r.locals[ident.Name] = append(r.locals[ident.Name], node.Values[i])
					}
				}
			}
			return true
		})
	}
	ast.Inspect(decl, visit)
}

var maker = regexp.MustCompile(`^New(Timing)?(Counter|Gauge|Histogram|Summary|Untyped)(Vec|Func)?$`)

func (r *reader) visit(pkg string, node ast.Node) bool {
	open := labels{open: true}
	switch node := node.(type) {
	case *ast.CompositeLit:
		if !r.handled[node] && strings.HasSuffix(typeName(node.Type), "Opts") {
			r.opts(pkg, node, open)
		}
		r.family(pkg, node)
	case *ast.CallExpr:
		called := typeName(node.Fun)
		argument := func(i int) ast.Expr {
			if i < len(node.Args) {
				return node.Args[i]
			}
			return nil
		}
		switch {
		case called == "BuildFQName" && len(node.Args) == 3 && !r.handled[node]:
			r.add(pkg, open, node.Args...)
		case called == "NewDesc" && len(node.Args) > 2:
			known := r.labels(pkg, node.Args[2], 0)
			known.add(r.keys(pkg, argument(3), 0))
			if call, ok := node.Args[0].(*ast.CallExpr); ok && typeName(call.Fun) == "BuildFQName" && len(call.Args) == 3 {
				r.handled[call] = true
				r.add(pkg, known, call.Args...)
			} else {
				r.add(pkg, known, node.Args[0])
			}
		case maker.MatchString(called) && len(node.Args) > 0:
			options := node.Args[0]
			if unary, ok := options.(*ast.UnaryExpr); ok {
				options = unary.X
			}
			if options, ok := options.(*ast.CompositeLit); ok {
				known := labels{}
				if strings.HasSuffix(called, "Vec") {
					known = r.labels(pkg, argument(1), 0)
				}
				r.handled[options] = true
				r.opts(pkg, options, known)
			}
		case called == "WrapRegistererWith" && len(node.Args) == 2:
			found := r.keys(pkg, node.Args[0], 0)
			if found.open {
				fmt.Fprintf(os.Stderr, "a registry of package %s adds labels that are not known\n", pkg)
			}
			r.registered.add(found)
		case strings.HasPrefix(called, "New") && strings.Contains(called, "FamilyGenerator"):
			r.generator(pkg, node)
		}
	case *ast.BasicLit:
		if *literal != "" && node.Kind == token.STRING {
			text, err := strconv.Unquote(node.Value)
			if err == nil && regexp.MustCompile(*literal).MatchString(text) && r.metrics[text] == nil {
				r.merge(text, open)
			}
		}
	}
	return true
}

func fields(node *ast.CompositeLit) map[string]ast.Expr {
	parts := map[string]ast.Expr{}
	for _, element := range node.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok {
				parts[key.Name] = pair.Value
			}
		}
	}
	return parts
}

func (r *reader) opts(pkg string, node *ast.CompositeLit, known labels) {
	parts := fields(node)
	if parts["Name"] == nil {
		return
	}
	known.add(r.keys(pkg, parts["ConstLabels"], 0))
	r.add(pkg, known, parts["Namespace"], parts["Subsystem"], parts["Name"])
}

// family adds one of cAdvisor's metrics.
func (r *reader) family(pkg string, node *ast.CompositeLit) {
	parts := fields(node)
	if parts["name"] == nil || parts["help"] == nil || parts["valueType"] == nil {
		return
	}
	full, ok := r.text(pkg, parts["name"], 0)
	if !ok {
		return
	}
	if name.MatchString(full) {
		r.merge(full, r.labels(pkg, parts["extraLabels"], 0))
	}
}

// generator adds one of kube-state-metrics' metrics, with the labels that stand anywhere in what makes it.
func (r *reader) generator(pkg string, node *ast.CallExpr) {
	if len(node.Args) == 0 {
		return
	}
	known := labels{}
	known.add(r.defaults)
	ast.Inspect(node, func(inner ast.Node) bool {
		if pair, ok := inner.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "LabelKeys" {
				known.add(r.labels(pkg, pair.Value, 0))
			}
		}
		if assign, ok := inner.(*ast.AssignStmt); ok && len(assign.Lhs) == 1 {
			if selector, ok := assign.Lhs[0].(*ast.SelectorExpr); ok && selector.Sel.Name == "LabelKeys" {
				known.add(r.labels(pkg, assign.Rhs[0], 0))
			}
		}
		return true
	})
	r.add(pkg, known, node.Args[0])
}

func (r *reader) add(pkg string, known labels, parts ...ast.Expr) {
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
		r.merge(full, known)
	}
}

func (r *reader) merge(full string, known labels) {
	if r.metrics[full] == nil {
		r.metrics[full] = &labels{}
	}
	r.metrics[full].add(known)
}

// labels are the texts of a list.
func (r *reader) labels(pkg string, expr ast.Expr, depth int) labels {
	open := labels{open: true}
	if expr == nil {
		return labels{}
	}
	if depth > 8 {
		return open
	}
	switch expr := expr.(type) {
	case *ast.CompositeLit:
		known := labels{}
		for _, element := range expr.Elts {
			text, ok := r.text(pkg, element, 0)
			if !ok {
				return open
			}
			known.add(labelled(text))
		}
		return known
	case *ast.CallExpr:
		if ident, ok := expr.Fun.(*ast.Ident); !ok || ident.Name != "append" || len(expr.Args) == 0 {
			return open
		}
		known := r.labels(pkg, expr.Args[0], depth+1)
		for _, argument := range expr.Args[1:] {
			if expr.Ellipsis.IsValid() {
				known.add(r.labels(pkg, argument, depth+1))
			} else if text, ok := r.text(pkg, argument, 0); ok {
				known.add(labelled(text))
			} else {
				return open
			}
		}
		return known
	case *ast.Ident:
		if expr.Name == "nil" {
			return labels{}
		}
	}
	return r.values(pkg, expr, func(pkg string, value ast.Expr) labels { return r.labels(pkg, value, depth+1) })
}

// keys are those of a mapping.
func (r *reader) keys(pkg string, expr ast.Expr, depth int) labels {
	if expr == nil {
		return labels{}
	}
	if depth > 8 {
		return labels{open: true}
	}
	switch expr := expr.(type) {
	case *ast.CompositeLit:
		known := labels{}
		for _, element := range expr.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				return labels{open: true}
			}
			text, ok := r.text(pkg, pair.Key, 0)
			if !ok {
				return labels{open: true}
			}
			known.add(labelled(text))
		}
		return known
	case *ast.Ident:
		if expr.Name == "nil" {
			return labels{}
		}
	}
	return r.values(pkg, expr, func(pkg string, value ast.Expr) labels { return r.keys(pkg, value, depth+1) })
}

// values are those that a variable may have.
func (r *reader) values(pkg string, expr ast.Expr, read func(string, ast.Expr) labels) labels {
	switch expr := expr.(type) {
	case *ast.Ident:
		values := r.locals[expr.Name]
		if value, ok := r.constants[pkg+"."+expr.Name]; ok && len(values) == 0 {
			values = append(values, value)
		}
		known := labels{open: len(values) == 0}
		for _, value := range values {
			if call, ok := value.(*ast.CallExpr); ok && len(call.Args) > 0 {
				// One that adds to itself.
				if first, ok := call.Args[0].(*ast.Ident); ok && first.Name == expr.Name && typeName(call.Fun) == "append" {
					value = &ast.CallExpr{Fun: call.Fun, Args: append([]ast.Expr{ast.NewIdent("nil")}, call.Args[1:]...), Ellipsis: call.Ellipsis}
				}
			}
			known.add(read(pkg, value))
		}
		return known
	case *ast.SelectorExpr:
		if of, ok := expr.X.(*ast.Ident); ok {
			if value, ok := r.constants[r.imports[of.Name]+"."+expr.Sel.Name]; ok {
				return read(r.imports[of.Name], value)
			}
		}
	}
	return labels{open: true}
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
		if own := r.locals[expr.Name]; len(own) == 1 {
			value, ok = own[0], true
		}
		if !ok {
			return "", false
		}
		return r.text(pkg, value, depth+1)
	case *ast.SelectorExpr:
		of, ok := expr.X.(*ast.Ident)
		if !ok {
			return "", false
		}
		from := r.imports[of.Name]
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
