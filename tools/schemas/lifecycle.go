package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// How far a kind is on its way out, as the Go types say it. Zero is never.
type stage struct {
	deprecated, removed minor
	replacement         *kind
}

// A line of lifecycle.jsonl.
type lifecycle struct {
	Kind        kind  `json:"kind"`
	Deprecated  minor `json:"deprecated,omitempty"`
	Removed     minor `json:"removed,omitempty"`
	Replacement *kind `json:"replacement,omitempty"`
}

// Adds the stages of a module's kinds. What an older module said of the same kind is forgotten.
func stagesOf(root string, stages map[kind]stage) error {
	told := map[kind]stage{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		// Both zz_generated.prerelease-lifecycle.go, and lifecycle.go for kinds that the generator leaves out.
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "lifecycle.go") {
			return err
		}
		return stagesIn(path, told)
	})
	if err == nil && len(told) == 0 {
		err = fmt.Errorf("no lifecycle.go in %s", root)
	}
	maps.Copy(stages, told)
	return err
}

func stagesIn(path string, told map[kind]stage) error {
	directory := filepath.Dir(path)
	group, err := groupOf(filepath.Join(directory, "register.go"))
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Recv == nil {
			continue
		}
		receiver, ok := function.Recv.List[0].Type.(*ast.StarExpr)
		if !ok {
			return fmt.Errorf("%s: %s is no method of a pointer", path, function.Name)
		}
		kind := kind{group, filepath.Base(directory), fmt.Sprint(receiver.X)}
		stage := told[kind]
		results, err := returned(function)
		if err == nil {
			switch function.Name.Name {
			case "APILifecycleIntroduced":
			case "APILifecycleDeprecated":
				stage.deprecated, err = release(results)
			case "APILifecycleRemoved":
				stage.removed, err = release(results)
			case "APILifecycleReplacement":
				stage.replacement, err = named(results)
			default:
				err = fmt.Errorf("an unknown method")
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", path, function.Name, err)
		}
		told[kind] = stage
	}
	return nil
}

// The group that a package's register.go names.
func groupOf(path string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	group, err := "", fmt.Errorf("%s: no constant GroupName", path)
	ast.Inspect(file, func(node ast.Node) bool {
		if value, ok := node.(*ast.ValueSpec); ok && value.Names[0].Name == "GroupName" && len(value.Values) == 1 {
			group, err = text(value.Values[0])
		}
		return true
	})
	return group, err
}

// What a function that only returns something returns.
func returned(function *ast.FuncDecl) ([]ast.Expr, error) {
	if function.Body != nil && len(function.Body.List) == 1 {
		if statement, ok := function.Body.List[0].(*ast.ReturnStmt); ok {
			return statement.Results, nil
		}
	}
	return nil, fmt.Errorf("more than a return")
}

func release(results []ast.Expr) (minor, error) {
	var numbers []int
	for _, result := range results {
		literal, ok := result.(*ast.BasicLit)
		if !ok {
			return 0, fmt.Errorf("no number")
		}
		number, err := strconv.Atoi(literal.Value)
		if err != nil {
			return 0, err
		}
		numbers = append(numbers, number)
	}
	if len(numbers) != 2 || numbers[0] != 1 {
		return 0, fmt.Errorf("%v is no version of Kubernetes 1", numbers)
	}
	return minor(numbers[1]), nil
}

func named(results []ast.Expr) (*kind, error) {
	literal, ok := results[0].(*ast.CompositeLit)
	if !ok {
		return nil, fmt.Errorf("no literal")
	}
	var named kind
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return nil, fmt.Errorf("a field without its name")
		}
		field := slices.Index([]string{"Group", "Version", "Kind"}, fmt.Sprint(pair.Key))
		if field < 0 {
			return nil, fmt.Errorf("an unknown field")
		}
		var err error
		if named[field], err = text(pair.Value); err != nil {
			return nil, err
		}
	}
	return &named, nil
}

func text(expression ast.Expr) (string, error) {
	literal, ok := expression.(*ast.BasicLit)
	if !ok {
		return "", fmt.Errorf("no string")
	}
	return strconv.Unquote(literal.Value)
}

// What is deprecated or gone: as the types say, and, for the minors whose API is known, as it is served.
func lifecycles(stages map[kind]stage, apis []api) []lifecycle {
	newest := apis[len(apis)-1]
	all := map[kind]lifecycle{}
	for kind, stage := range stages {
		// A type that will be deprecated one day is none that somebody should leave today.
		if stage.deprecated == 0 || stage.deprecated > newest.minor {
			continue
		}
		all[kind] = lifecycle{Kind: kind, Deprecated: stage.deprecated, Removed: stage.removed, Replacement: stage.replacement}
	}
	last := map[kind]minor{}
	for _, api := range apis {
		for kind := range api.served {
			last[kind] = api.minor
		}
	}
	for kind, last := range last {
		entry, there := all[kind]
		if last < newest.minor {
			entry.Kind, entry.Removed = kind, last+1
			all[kind] = entry
		} else if there && entry.Removed <= newest.minor {
			entry.Removed = 0
			all[kind] = entry
		}
	}
	var sorted []lifecycle
	for kind, entry := range all {
		// kubectl takes a list apart.
		if item, list := strings.CutSuffix(kind[2], "List"); list {
			kind[2] = item
			if _, there := stages[kind]; there {
				continue
			}
		}
		entry.Replacement = successor(entry, newest)
		sorted = append(sorted, entry)
	}
	slices.SortFunc(sorted, func(a, b lifecycle) int { return slices.Compare(a.Kind[:], b.Kind[:]) })
	return sorted
}

// What can be created instead of a kind: what its type names, or else the same kind in the most stable version.
func successor(entry lifecycle, newest api) *kind {
	if entry.Replacement != nil && newest.served[*entry.Replacement] {
		return entry.Replacement
	}
	best := entry.Kind
	for served := range newest.served {
		if served[0] == best[0] && served[2] == best[2] && stability(served[1], best[1]) > 0 {
			best = served
		}
	}
	if best == entry.Kind {
		return nil
	}
	return &best
}

var versioned = regexp.MustCompile(`^v(\d+)(?:(alpha|beta)(\d+))?$`)

// Compares two API versions by how stable they are, and then by their numbers.
func stability(a, b string) int {
	left, right := versioned.FindStringSubmatch(a), versioned.FindStringSubmatch(b)
	if left == nil || right == nil {
		return cmp.Compare(a, b)
	}
	rank := func(word string) int { return slices.Index([]string{"alpha", "beta", ""}, word) }
	number := func(digits string) int {
		// The expression lets nothing but digits, or none, come here.
		number, _ := strconv.Atoi(digits)
		return number
	}
	return cmp.Or(
		cmp.Compare(rank(left[2]), rank(right[2])),
		cmp.Compare(number(left[1]), number(right[1])),
		cmp.Compare(number(left[3]), number(right[3])),
	)
}
