// Lists the keys that a configuration file takes, from the source of the Go struct that the program reads it into:
//
//	go run . -module DIRECTORY -type IMPORT/PATH.Type -source 'WHAT, VERSION' -o ../../crates/check/configurations/NAME.json
//
// DIRECTORY is the program's module in the module cache; nothing of it is compiled.
//
// A value is "" for anything, "." for a scalar, "bool", "int", "float", one of the forms below, the name of a type, or "["
// or "{" and one of these for a list or a mapping of it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// forms are the types that read a text of a certain form.
var forms = map[string]string{
	"github.com/prometheus/common/model.Duration":            "duration",
	"github.com/grafana/loki/v3/pkg/util/flagext.ByteSize":   "size",
	"github.com/grafana/dskit/flagext.Bytes":                 "size",
	"github.com/prometheus/alertmanager/config.URL":          "http-url",
	"github.com/prometheus/alertmanager/config.SecretURL":    "http-url",
	"github.com/prometheus/alertmanager/config.HostPort":     "host-port",
	"github.com/prometheus/alertmanager/config.Matchers":     "[matchers",
	"github.com/prometheus/alertmanager/config.MatchRegexps": "{regexp",
	"github.com/prometheus/prometheus/model/relabel.Regexp":  "regexp",
	"github.com/grafana/loki/v3/pkg/storage/config.DayTime":  "date",
}

// discoveries are the ways of Prometheus to find targets, which register themselves: `<name>_sd_configs`.
var discoveries = strings.Fields(`aws azure consul digitalocean dns docker dockerswarm ec2 ecs elasticache eureka file gce hetzner http
	ionos kubernetes kuma lightsail linode marathon msk nerve nomad openstack outscale ovhcloud puppetdb rds scaleway serverset
	stackit triton uyuni vultr`)

// keys is what is written: the types by name, each with its keys, and what each key holds.
type keys struct {
	Source string                       `json:"source"`
	Root   string                       `json:"root"`
	Types  map[string]map[string]string `json:"types"`
}

// program finds types in the packages of a module and of those it needs.
type program struct {
	// dirs are those of the packages that the program is made of, but for Go's own.
	dirs     map[string]string
	packages map[string]*pack
	names    map[string]string
	keys     keys
}

// pack is a package: its types with the files they stand in, and the types that read themselves.
type pack struct {
	path   string
	types  map[string]declared
	custom map[string]bool
}

type declared struct {
	expr ast.Expr
	file *ast.File
}

func main() {
	module := flag.String("module", "", "the directory of the program's module")
	root := flag.String("type", "", "the type that the configuration is read into")
	source := flag.String("source", "", "what the keys are of")
	out := flag.String("o", "", "the file to write")
	flag.Parse()
	if err := run(*module, *root, *source, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(module, root, source, out string) error {
	dot := strings.LastIndex(root, ".")
	list := exec.Command("go", "list", "-e", "-deps", "-f", "{{.ImportPath}}\t{{.Dir}}", root[:dot])
	list.Dir = module
	// A workspace of the module's own names folders that the module cache does not have.
	list.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	list.Stderr = os.Stderr
	text, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	p := program{dirs: map[string]string{}, packages: map[string]*pack{}, names: map[string]string{}}
	for _, line := range strings.Split(string(text), "\n") {
		if path, dir, found := strings.Cut(line, "\t"); found && strings.Contains(path, ".") {
			p.dirs[path] = dir
		}
	}
	p.keys = keys{Source: source, Types: map[string]map[string]string{}}
	p.keys.Root = p.named(p.load(root[:dot]), root[dot+1:])
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer file.Close()
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", " ")
	return encoder.Encode(p.keys)
}

// load reads a package; nil if it is one of Go's own.
func (p *program) load(path string) *pack {
	if read, done := p.packages[path]; done {
		return read
	}
	p.packages[path] = nil
	dir, known := p.dirs[path]
	if !known {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	read := &pack{path: path, types: map[string]declared{}, custom: map[string]bool{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok && spec.TypeParams == nil {
						read.types[spec.Name.Name] = declared{spec.Type, file}
					}
				}
			case *ast.FuncDecl:
				if decl.Recv != nil && (decl.Name.Name == "UnmarshalYAML" || decl.Name.Name == "UnmarshalText") {
					of := decl.Recv.List[0].Type
					if star, ok := of.(*ast.StarExpr); ok {
						of = star.X
					}
					if ident, ok := of.(*ast.Ident); ok {
						read.custom[ident.Name] = true
					}
				}
			}
		}
	}
	p.packages[path] = read
	return read
}

// imported is the package that a file calls by a name.
func (p *program) imported(file *ast.File, name string) (string, *pack) {
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		last := path[strings.LastIndex(path, "/")+1:]
		if len(last) > 1 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9' {
			rest := strings.TrimSuffix(path, "/"+last)
			last = rest[strings.LastIndex(rest, "/")+1:]
		}
		if (spec.Name != nil && spec.Name.Name == name) || (spec.Name == nil && last == name) {
			return path, p.load(path)
		}
	}
	return "", nil
}

func (p *program) named(in *pack, name string) string {
	if in == nil {
		return ""
	}
	found, ok := in.types[name]
	if !ok {
		return ""
	}
	full := in.path + "." + name
	if form, known := forms[full]; known {
		return form
	}
	if known, done := p.names[full]; done {
		return known
	}
	custom := in.custom[name]
	if structure, ok := found.expr.(*ast.StructType); ok {
		// What reads itself and names no keys is a scalar of some form, or a form of its own.
		if custom && !tagged(structure) {
			return ""
		}
		short := in.path[strings.LastIndex(in.path, "/")+1:] + "." + name
		for count := 2; p.keys.Types[short] != nil; count++ {
			short = fmt.Sprintf("%s.%s.%d", in.path[strings.LastIndex(in.path, "/")+1:], name, count)
		}
		p.names[full] = short
		p.keys.Types[short] = map[string]string{}
		p.fields(in, found.file, structure, p.keys.Types[short])
		return short
	}
	value := p.value(in, found.file, found.expr)
	if custom {
		switch value {
		case "bool", "int", "float", "go-duration", ".":
			return "."
		}
		return ""
	}
	return value
}

func tagged(structure *ast.StructType) bool {
	for _, field := range structure.Fields.List {
		if field.Tag != nil && strings.Contains(field.Tag.Value, "yaml:") {
			return true
		}
	}
	return false
}

func (p *program) value(in *pack, file *ast.File, expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return p.value(in, file, expr.X)
	case *ast.ParenExpr:
		return p.value(in, file, expr.X)
	case *ast.ArrayType:
		if ident, ok := expr.Elt.(*ast.Ident); ok && ident.Name == "byte" {
			return "."
		}
		return "[" + p.value(in, file, expr.Elt)
	case *ast.MapType:
		return "{" + p.value(in, file, expr.Value)
	case *ast.StructType:
		short := fmt.Sprintf("anonymous.%d", len(p.keys.Types))
		p.keys.Types[short] = map[string]string{}
		p.fields(in, file, expr, p.keys.Types[short])
		return short
	case *ast.Ident:
		switch expr.Name {
		case "string":
			return "."
		case "float32", "float64":
			return "float"
		case "bool":
			return "bool"
		case "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64":
			return "int"
		}
		return p.named(in, expr.Name)
	case *ast.SelectorExpr:
		if of, ok := expr.X.(*ast.Ident); ok {
			path, other := p.imported(file, of.Name)
			if path == "time" && expr.Sel.Name == "Duration" {
				return "go-duration"
			}
			return p.named(other, expr.Sel.Name)
		}
	}
	return ""
}

func (p *program) fields(in *pack, file *ast.File, structure *ast.StructType, into map[string]string) {
	for _, field := range structure.Fields.List {
		tag := ""
		if field.Tag != nil {
			text, _ := strconv.Unquote(field.Tag.Value)
			tag = reflect.StructTag(text).Get("yaml")
		}
		if tag == "-" {
			if of, ok := field.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Configs" {
				into["static_configs"] = ""
				for _, name := range discoveries {
					into[name+"_sd_configs"] = ""
				}
			}
			continue
		}
		if strings.Contains(tag, ",inline") {
			p.inline(in, file, field.Type, into)
			continue
		}
		names := []string{}
		for _, name := range field.Names {
			if name.IsExported() {
				names = append(names, name.Name)
			}
		}
		if len(field.Names) == 0 {
			names = append(names, typeName(field.Type))
		}
		for _, name := range names {
			key, _, _ := strings.Cut(tag, ",")
			if key == "" {
				key = strings.ToLower(name)
			}
			into[key] = p.value(in, file, field.Type)
		}
	}
}

// inline adds the keys of a struct that another takes for its own.
func (p *program) inline(in *pack, file *ast.File, expr ast.Expr, into map[string]string) {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	switch expr := expr.(type) {
	case *ast.Ident:
		if found, ok := in.types[expr.Name]; ok {
			p.inline(in, found.file, found.expr, into)
			return
		}
	case *ast.SelectorExpr:
		if of, ok := expr.X.(*ast.Ident); ok {
			if _, other := p.imported(file, of.Name); other != nil {
				if found, ok := other.types[expr.Sel.Name]; ok {
					p.inline(other, found.file, found.expr, into)
					return
				}
			}
		}
	case *ast.StructType:
		p.fields(in, file, expr, into)
		return
	}
	// Any key at all: a map, or what cannot be seen from here.
	into["*"] = ""
}

func typeName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return typeName(expr.X)
	case *ast.SelectorExpr:
		return expr.Sel.Name
	case *ast.Ident:
		return expr.Name
	}
	return ""
}
