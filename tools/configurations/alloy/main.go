// Lists the components of Grafana Alloy, with the settings and blocks that each takes and what it gives to others, from the
// source of Alloy's module:
//
//	go run ./alloy -o ../../crates/check/configurations/alloy.txt VERSION...
//
// A VERSION is `1.11.0`, and nothing of it is compiled. crates/check/src/embedded/alloy.rs reads what is written.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const (
	module     = "github.com/grafana/alloy"
	components = "internal/component"
	unknown    = "-"
)

// families are the components whose types are told, by the beginnings of their names. Of the others the name alone is: among
// them are types that read a part of their settings themselves or take it from other modules, which no tag tells.
var families = []string{"discovery.", "local.", "loki.", "mimir.", "prometheus.", "remote."}

// untold is a family within one of those.
const untold = "prometheus.exporter."

// head is what the list says of itself.
const head = "" +
	"# Components of Alloy: each with what it takes and what it gives, and after them the types of both: a setting or a block a\n" +
	"# line, `!` behind what must be there; a setting with the sort of its value, a block with its type. `-` is not known here.\n" +
	"# Source: the registrations and the tags of their types in %s %s.\n" +
	"# Written by tools/configurations/generate.\n"

// list is what is written: the components, and the types by name.
type list struct {
	components map[string]component
	types      map[string]fields
}

// component names the types of what it takes and what it gives.
type component struct{ takes, gives string }

// fields are what may stand in a component or a block, by name.
type fields map[string]field

type field struct {
	isBlock, isNeeded bool
	// sort is that of a setting's value; of a block it is the name of its type.
	sort string
}

// program is one version of Alloy, as far as it is read.
type program struct {
	root     string
	packages map[string]*pack
	list     list
	// problems are what a reader of the list would miss without being told.
	problems []error
}

// pack is a package: its files, its types with the files they stand in, and its constants that are texts.
type pack struct {
	// dir is that within the module.
	dir   string
	files []*ast.File
	types map[string]declared
	texts map[string]string
}

type declared struct {
	expr ast.Expr
	file *ast.File
}

func main() {
	out := flag.String("o", "", "the file to write")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out string, versions []string) error {
	all := list{map[string]component{}, map[string]fields{}}
	for _, version := range versions {
		root, err := download(version)
		if err != nil {
			return err
		}
		known, err := read(root)
		if err == nil {
			err = all.add(known)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", module, version, err)
		}
	}
	text := fmt.Sprintf(head, module, strings.Join(versions, " and ")) + all.text()
	return os.WriteFile(out, []byte(text), 0o644)
}

// download is the folder of a version in the module cache, which is filled where it has none.
func download(version string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", module+"@v"+version)
	command.Stderr = os.Stderr
	text, err := command.Output()
	var of struct{ Dir, Error string }
	if json.Unmarshal(text, &of) == nil && of.Error != "" {
		return "", errors.New(of.Error)
	}
	return of.Dir, err
}

// read lists the components of one version.
func read(root string) (list, error) {
	p := program{root: root, packages: map[string]*pack{}, list: list{map[string]component{}, map[string]fields{}}}
	err := filepath.WalkDir(filepath.Join(root, components), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		dir, err := filepath.Rel(root, name)
		if err == nil {
			p.registrations(p.load(filepath.ToSlash(dir)))
		}
		return err
	})
	return p.list, errors.Join(append(p.problems, err)...)
}

func (p *program) problem(format string, of ...any) {
	p.problems = append(p.problems, fmt.Errorf(format, of...))
}

// image builds as Alloy's images are: a component that other systems lack is registered once more for them.
func image() build.Context {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", "amd64", true
	context.BuildTags = []string{"netgo", "builtinassets", "promtail_journal_enabled"}
	return context
}

// load reads the package in a folder of the module.
func (p *program) load(dir string) *pack {
	if read, done := p.packages[dir]; done {
		return read
	}
	read := &pack{dir: dir, types: map[string]declared{}, texts: map[string]string{}}
	p.packages[dir] = read
	context := image()
	names, _ := filepath.Glob(filepath.Join(p.root, dir, "*.go"))
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if matches, err := context.MatchFile(filepath.Split(name)); err != nil || !matches {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			p.problem("%w", err)
			continue
		}
		read.files = append(read.files, file)
		for _, decl := range file.Decls {
			if decl, ok := decl.(*ast.GenDecl); ok {
				read.declare(decl, file)
			}
		}
	}
	return read
}

func (in *pack) declare(decl *ast.GenDecl, file *ast.File) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			in.types[spec.Name.Name] = declared{spec.Type, file}
		case *ast.ValueSpec:
			for number, name := range spec.Names {
				if decl.Tok == token.CONST && number < len(spec.Values) {
					if text, ok := in.text(spec.Values[number]); ok {
						in.texts[name.Name] = text
					}
				}
			}
		}
	}
}

// text is what stands in quotes, there or in a constant of the package.
func (in *pack) text(expr ast.Expr) (string, bool) {
	switch expr := expr.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(expr.Value)
		return text, err == nil && expr.Kind == token.STRING
	case *ast.Ident:
		text, ok := in.texts[expr.Name]
		return text, ok
	}
	return "", false
}

// registrations finds the components that a package tells Alloy of.
func (p *program) registrations(in *pack) {
	for _, file := range in.files {
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if of, ok := literal.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Registration" {
				p.register(in, file, literal)
			}
			return true
		})
	}
}

func (p *program) register(in *pack, file *ast.File, literal *ast.CompositeLit) {
	given := map[string]ast.Expr{}
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok {
				given[key.Name] = pair.Value
			}
		}
	}
	name, ok := in.text(given["Name"])
	if !ok {
		p.problem("%s registers a component with a name that is no text", in.dir)
		return
	}
	if _, seen := p.list.components[name]; seen {
		p.problem("%s registers %s, which is there", in.dir, name)
	}
	told := component{unknown, unknown}
	if isTold(name) {
		told = component{p.empty(in, file, given["Args"]), p.empty(in, file, given["Exports"])}
	}
	p.list.components[name] = told
}

func isTold(name string) bool {
	isOf := func(family string) bool { return strings.HasPrefix(name, family) }
	return slices.ContainsFunc(families, isOf) && !isOf(untold)
}

// empty names the type of a registration's `Arguments{}`; a component that gives nothing has none.
func (p *program) empty(in *pack, file *ast.File, expr ast.Expr) string {
	if literal, ok := expr.(*ast.CompositeLit); ok {
		if of, name := p.resolve(in, file, literal.Type); of != nil {
			return p.named(of, name)
		}
	}
	return unknown
}

// resolve finds the type of the module that an expression, or what it points to or is a list of, names.
func (p *program) resolve(in *pack, file *ast.File, expr ast.Expr) (*pack, string) {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return p.resolve(in, file, expr.X)
	case *ast.ArrayType:
		return p.resolve(in, file, expr.Elt)
	case *ast.Ident:
		if _, ok := in.types[expr.Name]; ok {
			return in, expr.Name
		}
	case *ast.SelectorExpr:
		if of, ok := expr.X.(*ast.Ident); ok {
			if other := p.imported(file, of.Name); other != nil {
				return p.resolve(other, nil, expr.Sel)
			}
		}
	}
	return nil, ""
}

// imported is the package that a file calls by a name; nil if it is none of the module.
func (p *program) imported(file *ast.File, name string) *pack {
	for _, spec := range file.Imports {
		full, _ := strconv.Unquote(spec.Path.Value)
		called := path.Base(full)
		if spec.Name != nil {
			called = spec.Name.Name
		}
		if dir, ok := strings.CutPrefix(full, module+"/"); ok && called == name {
			return p.load(dir)
		}
	}
	return nil
}

// named lists a type, and is its name in the list.
func (p *program) named(in *pack, name string) string {
	full := strings.TrimPrefix(in.dir, components+"/") + "." + name
	if _, done := p.list.types[full]; done {
		return full
	}
	// It is there before what it holds, for a block may hold its own kind.
	p.list.types[full] = fields{}
	p.fields(in, name, p.list.types[full])
	return full
}

// fields adds what the tags of a type tell.
func (p *program) fields(in *pack, name string, into fields) {
	found := in.types[name]
	structure, ok := found.expr.(*ast.StructType)
	if !ok {
		if of, other := p.resolve(in, found.file, found.expr); of != nil {
			p.fields(of, other, into)
			return
		}
		p.problem("%s.%s is no struct", in.dir, name)
		return
	}
	for _, of := range structure.Fields.List {
		if of.Tag == nil {
			continue
		}
		text, _ := strconv.Unquote(of.Tag.Value)
		if tag, ok := reflect.StructTag(text).Lookup("alloy"); ok {
			p.tagged(in, found.file, of.Type, strings.Split(tag, ","), into)
		}
	}
}

// tagged adds what one tag tells: a name, its kind, and `optional` where it need not be there.
func (p *program) tagged(in *pack, file *ast.File, expr ast.Expr, tag []string, into fields) {
	name, kind := tag[0], tag[1]
	isNeeded := !slices.Contains(tag, "optional")
	of, other := p.resolve(in, file, expr)
	switch kind {
	case "attr":
		into[name] = field{isNeeded: isNeeded, sort: sortOf(expr)}
	case "block":
		sort := unknown
		if of != nil {
			sort = p.named(of, other)
		}
		into[name] = field{isBlock: true, isNeeded: isNeeded, sort: sort}
	case "squash", "enum":
		if of == nil {
			p.problem("%s takes the fields of a type that is none of the module: %s", in.dir, strings.Join(tag, ","))
			return
		}
		// The fields of a struct that another takes for its own, and those of one that holds a block of several kinds.
		inner := fields{}
		p.fields(of, other, inner)
		for key, field := range inner {
			if kind == "enum" {
				key, field.isNeeded = name+"."+key, false
			}
			into[key] = field
		}
	case "label":
	default:
		p.problem("%s has a tag of a kind that is not known: %s", in.dir, strings.Join(tag, ","))
	}
}

// sortOf is the sort of the values that a Go type takes; `any` where it reads a form of its own, or text and more.
func sortOf(expr ast.Expr) string {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	switch expr := expr.(type) {
	case *ast.ArrayType:
		return "list"
	case *ast.Ident:
		switch expr.Name {
		case "bool", "string":
			return expr.Name
		case "int", "int32", "int64", "uint", "uint32", "uint64":
			return "number"
		}
	case *ast.SelectorExpr:
		if of, ok := expr.X.(*ast.Ident); ok && of.Name == "time" && expr.Sel.Name == "Duration" {
			return "duration"
		}
	}
	return "any"
}

// add takes what a further version knows: what one of them lacks may be there, and need not.
func (l list) add(other list) error {
	maps.Copy(l.components, other.components)
	for name, theirs := range other.types {
		ours, ok := l.types[name]
		if !ok {
			l.types[name] = theirs
			continue
		}
		for key, our := range ours {
			their, ok := theirs[key]
			if ok && (our.isBlock != their.isBlock || our.sort != their.sort) {
				return fmt.Errorf("%s of %s is another than before", key, name)
			}
			our.isNeeded = our.isNeeded && their.isNeeded
			ours[key] = our
		}
		for key, their := range theirs {
			if _, ok := ours[key]; !ok {
				their.isNeeded = false
				ours[key] = their
			}
		}
	}
	return nil
}

// text is the list as it is written, with numbers for the names of types.
func (l list) text() string {
	var text strings.Builder
	number := map[string]string{unknown: unknown}
	types := slices.Sorted(maps.Keys(l.types))
	for index, name := range types {
		number[name] = "t" + strconv.Itoa(index)
	}
	for _, name := range slices.Sorted(maps.Keys(l.components)) {
		of := l.components[name]
		fmt.Fprintln(&text, "component", name, number[of.takes], number[of.gives])
	}
	for _, name := range types {
		fmt.Fprintln(&text, "type", number[name])
		for _, key := range slices.Sorted(maps.Keys(l.types[name])) {
			of := l.types[name][key]
			kind, sort := "attr", of.sort
			if of.isBlock {
				kind, sort = "block", number[of.sort]
			}
			if of.isNeeded {
				key += "!"
			}
			fmt.Fprintln(&text, kind, key, sort)
		}
	}
	return text.String()
}
