package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// A group, a version and a kind; the group of the core API is empty.
type kind [3]string

// What one minor of Kubernetes takes.
type api struct {
	minor       minor
	definitions map[string]definition
	// The kinds that can be created.
	served map[kind]bool
}

// A line of kubernetes.jsonl.
type definition struct {
	Name  string `json:"name"`
	Since minor  `json:"since"`
	// There is no such definition any more.
	Removed bool  `json:"removed,omitempty"`
	Kind    *kind `json:"kind,omitempty"`
	// Told of kinds that can be created, and not of lists of them.
	Namespaced *bool `json:"namespaced,omitempty"`
	schema
}

type schema struct {
	// A bare name.
	Ref                  string            `json:"$ref,omitempty"`
	Type                 string            `json:"type,omitempty"`
	Format               string            `json:"format,omitempty"`
	Required             []string          `json:"required,omitempty"`
	Properties           map[string]schema `json:"properties,omitempty"`
	Items                *schema           `json:"items,omitempty"`
	AdditionalProperties *schema           `json:"additionalProperties,omitempty"`
	ListType             string            `json:"listType,omitempty"`
	ListMapKeys          []string          `json:"listMapKeys,omitempty"`
}

// A schema as Kubernetes publishes it. These are all the keys that it uses; one more is an error, and somebody has to
// say whether it is wanted.
type published struct {
	Ref                  string               `json:"$ref"`
	Type                 string               `json:"type"`
	Format               string               `json:"format"`
	Required             []string             `json:"required"`
	Properties           map[string]published `json:"properties"`
	Items                *published           `json:"items"`
	AdditionalProperties *published           `json:"additionalProperties"`
	ListType             string               `json:"x-kubernetes-list-type"`
	ListMapKeys          []string             `json:"x-kubernetes-list-map-keys"`
	Kinds                []publishedKind      `json:"x-kubernetes-group-version-kind"`

	// These say nothing of what is valid.
	Description   string          `json:"description"`
	MapType       string          `json:"x-kubernetes-map-type"`
	PatchMergeKey string          `json:"x-kubernetes-patch-merge-key"`
	PatchStrategy string          `json:"x-kubernetes-patch-strategy"`
	Unions        json.RawMessage `json:"x-kubernetes-unions"`
}

type publishedKind struct{ Group, Version, Kind string }

type operation struct {
	Kind       publishedKind `json:"x-kubernetes-group-version-kind"`
	Parameters []struct {
		In     string
		Schema published
	}
	Responses map[string]struct{ Schema published }
}

func openapi(module module) (api, error) {
	api := api{definitions: map[string]definition{}, served: map[kind]bool{}}
	var err error
	if api.minor, err = minorOf(module.Version); err != nil {
		return api, err
	}
	text, err := os.ReadFile(filepath.Join(module.Dir, "api/openapi-spec/swagger.json"))
	if err != nil {
		return api, err
	}
	return api, api.read(text)
}

func (a *api) read(text []byte) error {
	var document struct {
		Definitions json.RawMessage
		Paths       map[string]struct{ Get, Post *operation }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	var all map[string]published
	strict := json.NewDecoder(bytes.NewReader(document.Definitions))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&all); err != nil {
		return fmt.Errorf("definitions: %w", err)
	}
	for path, item := range document.Paths {
		// What is posted to an object, such as an eviction, is no object that a manifest can hold.
		if item.Post == nil || strings.Contains(path, "{name}") {
			continue
		}
		body := ""
		for _, parameter := range item.Post.Parameters {
			if parameter.In == "body" {
				body = name(parameter.Schema.Ref)
			}
		}
		created, namespaced := item.Post.Kind, strings.Contains(path, "/{namespace}/")
		if !slices.Contains(all[body].Kinds, created) {
			return fmt.Errorf("%s takes `%s`, which is not the %s that it is said to take", path, body, created.Kind)
		}
		if err := a.root(all, body, of(created), &namespaced); err != nil {
			return err
		}
		a.served[of(created)] = true
		if item.Get == nil {
			continue
		}
		list := name(item.Get.Responses["200"].Schema.Ref)
		if len(all[list].Kinds) != 1 {
			return fmt.Errorf("%s lists `%s`, which is not one kind", path, list)
		}
		if err := a.root(all, list, of(all[list].Kinds[0]), nil); err != nil {
			return err
		}
	}
	for name := range a.definitions {
		if _, there := all[name]; !there {
			return fmt.Errorf("`%s` is referred to, and not defined", name)
		}
	}
	return nil
}

// Takes over the definition of a kind.
func (a *api) root(all map[string]published, name string, kind kind, namespaced *bool) error {
	a.take(all, name)
	root := a.definitions[name]
	if root.Kind != nil {
		return fmt.Errorf("`%s` is both %v and %v", name, *root.Kind, kind)
	}
	root.Kind, root.Namespaced = &kind, namespaced
	a.definitions[name] = root
	return nil
}

// Takes over a definition and what it refers to.
func (a *api) take(all map[string]published, wanted string) {
	if _, there := a.definitions[wanted]; there {
		return
	}
	compact := all[wanted].compact()
	a.definitions[wanted] = definition{Name: wanted, schema: compact}
	compact.references(func(reference string) { a.take(all, reference) })
}

func (p published) compact() schema {
	compact := schema{Ref: name(p.Ref), Type: p.Type, Format: p.Format, Required: p.Required}
	// The other word is `atomic`, which is what a list is anyway.
	if p.ListType == "map" || p.ListType == "set" {
		compact.ListType, compact.ListMapKeys = p.ListType, p.ListMapKeys
	}
	if p.Properties != nil {
		compact.Properties = map[string]schema{}
		for name, property := range p.Properties {
			compact.Properties[name] = property.compact()
		}
	}
	if p.Items != nil {
		items := p.Items.compact()
		compact.Items = &items
	}
	if p.AdditionalProperties != nil {
		values := p.AdditionalProperties.compact()
		compact.AdditionalProperties = &values
	}
	return compact
}

func (s schema) references(visit func(string)) {
	if s.Ref != "" {
		visit(s.Ref)
	}
	for _, property := range s.Properties {
		property.references(visit)
	}
	if s.Items != nil {
		s.Items.references(visit)
	}
	if s.AdditionalProperties != nil {
		s.AdditionalProperties.references(visit)
	}
}

func name(reference string) string {
	return strings.TrimPrefix(reference, "#/definitions/")
}

func of(published publishedKind) kind {
	return kind{published.Group, published.Version, published.Kind}
}

// The definitions of all minors, each again only for the minors that change it.
func variants(apis []api) []definition {
	names := map[string]bool{}
	for _, api := range apis {
		for name := range api.definitions {
			names[name] = true
		}
	}
	var variants []definition
	for _, name := range slices.Sorted(maps.Keys(names)) {
		last := definition{Name: name, Removed: true}
		for _, api := range apis {
			next, there := api.definitions[name]
			if !there {
				next = definition{Name: name, Removed: true}
			}
			if !reflect.DeepEqual(last, next) {
				last = next
				next.Since = api.minor
				variants = append(variants, next)
			}
		}
	}
	return variants
}
