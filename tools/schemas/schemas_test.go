package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestCommittedFilesAreThoseOfThePinnedModules(t *testing.T) {
	files, err := generate("modules.sum")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		committed, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(committed) != string(text) {
			t.Errorf("schemas/%s is not what tools/schemas/modules.sum pins: run `just schemas`", name)
		}
	}
}

// Reads kubernetes.jsonl as its README says, and knows of each minor what that minor publishes.
func TestEveryMinorIsReadBack(t *testing.T) {
	modules, err := pinned("modules.sum")
	if err != nil {
		t.Fatal(err)
	}
	if err := fetch(modules); err != nil {
		t.Fatal(err)
	}
	committed := read[definition](t, "kubernetes.jsonl")
	for _, module := range modules {
		if module.Path != kubernetes {
			continue
		}
		api, err := openapi(module)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]definition{}
		for _, line := range committed {
			if line.Since > api.minor {
				continue
			}
			line.Since = 0
			if delete(found, line.Name); !line.Removed {
				found[line.Name] = line
			}
		}
		if len(found) < 500 || !reflect.DeepEqual(found, api.definitions) {
			t.Errorf("%s: %d definitions are read back, of %d, or they differ", api.minor, len(found), len(api.definitions))
		}
		for name, definition := range found {
			definition.references(func(reference string) {
				if _, there := found[reference]; !there {
					t.Errorf("%s: %s refers to %s", api.minor, name, reference)
				}
			})
		}
	}
}

// What Kubernetes' own guide to deprecated versions says.
func TestWhatIsGoneHasASuccessor(t *testing.T) {
	type line struct {
		Kind                kind
		Deprecated, Removed minor
		Replacement         kind
	}
	told := map[kind]line{}
	for _, line := range read[line](t, "lifecycle.jsonl") {
		told[line.Kind] = line
	}
	ingress := kind{"networking.k8s.io", "v1", "Ingress"}
	for _, want := range []line{
		{kind{"extensions", "v1beta1", "Ingress"}, 14, 22, ingress},
		{kind{"networking.k8s.io", "v1beta1", "Ingress"}, 19, 22, ingress},
		{kind{"networking.k8s.io", "v1beta1", "IngressClass"}, 19, 22, kind{"networking.k8s.io", "v1", "IngressClass"}},
		{kind{"extensions", "v1beta1", "Deployment"}, 8, 16, kind{"apps", "v1", "Deployment"}},
		{kind{"apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition"}, 16, 22, kind{"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}},
		{kind{"apiregistration.k8s.io", "v1beta1", "APIService"}, 19, 22, kind{"apiregistration.k8s.io", "v1", "APIService"}},
		{kind{"rbac.authorization.k8s.io", "v1beta1", "ClusterRole"}, 17, 22, kind{"rbac.authorization.k8s.io", "v1", "ClusterRole"}},
		{kind{"batch", "v1beta1", "CronJob"}, 21, 25, kind{"batch", "v1", "CronJob"}},
		{kind{"policy", "v1beta1", "PodSecurityPolicy"}, 22, 25, kind{}},
		{kind{"policy", "v1beta1", "PodDisruptionBudget"}, 21, 25, kind{"policy", "v1", "PodDisruptionBudget"}},
		{kind{"autoscaling", "v2beta1", "HorizontalPodAutoscaler"}, 22, 25, kind{"autoscaling", "v2", "HorizontalPodAutoscaler"}},
		{kind{"autoscaling", "v2beta2", "HorizontalPodAutoscaler"}, 23, 26, kind{"autoscaling", "v2", "HorizontalPodAutoscaler"}},
		{kind{"flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema"}, 29, 32, kind{"flowcontrol.apiserver.k8s.io", "v1", "FlowSchema"}},
		{kind{"", "v1", "Endpoints"}, 33, 0, kind{"discovery.k8s.io", "v1", "EndpointSlice"}},
	} {
		if got := told[want.Kind]; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	for _, gone := range told {
		if strings.HasSuffix(gone.Kind[2], "List") {
			t.Errorf("%v is a list", gone.Kind)
		}
	}
}

func TestAModuleWithAnotherSumIsNotTaken(t *testing.T) {
	modules, err := pinned("modules.sum")
	if err != nil {
		t.Fatal(err)
	}
	sum := modules[0].Sum
	// A sum is written in base64, and this one is none.
	modules[0].Sum = strings.Replace(sum, "=", "!", 1)
	modules = modules[:1]
	if err := fetch(modules); err == nil || !strings.Contains(err.Error(), "has the sum `"+sum+"`") {
		t.Errorf("got %v", err)
	}
	if modules[0].Dir != "" {
		t.Errorf("%s can be read", modules[0].Dir)
	}
}

func TestVariants(t *testing.T) {
	text := func(kind string) definition {
		return definition{Name: "A", schema: schema{Type: kind}}
	}
	apis := []api{
		{minor: 29, definitions: map[string]definition{}},
		{minor: 30, definitions: map[string]definition{"A": text("string")}},
		{minor: 31, definitions: map[string]definition{"A": text("string")}},
		{minor: 32, definitions: map[string]definition{"A": text("object")}},
		{minor: 33, definitions: map[string]definition{}},
		{minor: 34, definitions: map[string]definition{}},
		{minor: 35, definitions: map[string]definition{"A": text("object")}},
	}
	got, err := lines(variants(apis))
	want := `{"name":"A","since":"1.30","type":"string"}
{"name":"A","since":"1.32","type":"object"}
{"name":"A","since":"1.33","removed":true}
{"name":"A","since":"1.35","type":"object"}
`
	if err != nil || string(got) != want {
		t.Errorf("%v, and got\n%s", err, got)
	}
}

const document = `{
  "definitions": {
    "Pod": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}],
      "properties": {"ports": {"type": "array", "items": {"$ref": "#/definitions/Port"}, "x-kubernetes-list-type": "set"}}},
    "PodList": {"x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "PodList"}],
      "properties": {"items": {"type": "array", "items": {"$ref": "#/definitions/Pod"}, "x-kubernetes-list-type": "atomic"}}},
    "Eviction": {"x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Eviction"}]},
    "Port": {"type": "integer", "description": "A port."}
  },
  "paths": {
    "/api/v1/namespaces/{namespace}/pods": {
      "get": {"responses": {"200": {"schema": {"$ref": "#/definitions/PodList"}}}},
      "post": {"x-kubernetes-group-version-kind": {"group": "", "version": "v1", "kind": "Pod"},
        "parameters": [{"in": "query"}, {"in": "body", "schema": {"$ref": "#/definitions/Pod"}}]}
    },
    "/api/v1/namespaces/{namespace}/pods/{name}/eviction": {
      "post": {"x-kubernetes-group-version-kind": {"group": "", "version": "v1", "kind": "Eviction"},
        "parameters": [{"in": "body", "schema": {"$ref": "#/definitions/Eviction"}}]}
    }
  }
}`

func TestAPublishedDocumentIsReadOrRefused(t *testing.T) {
	read := func(document string) (api, error) {
		api := api{minor: 29, definitions: map[string]definition{}, served: map[kind]bool{}}
		err := api.read([]byte(document))
		return api, err
	}
	whole, err := read(document)
	if err != nil {
		t.Fatal(err)
	}
	got, err := lines(variants([]api{whole}))
	want := `{"name":"Pod","since":"1.29","kind":["","v1","Pod"],"namespaced":true,"type":"object","properties":{"ports":{"type":"array","items":{"$ref":"Port"},"listType":"set"}}}
{"name":"PodList","since":"1.29","kind":["","v1","PodList"],"properties":{"items":{"type":"array","items":{"$ref":"Pod"}}}}
{"name":"Port","since":"1.29","type":"integer"}
`
	if err != nil || string(got) != want {
		t.Errorf("%v, and got\n%s", err, got)
	}
	for problem, change := range map[string][2]string{
		"unknown field \"enum\"":                {`"type": "integer"`, `"type": "integer", "enum": [1]`},
		"`Port` is referred to":                 {`"Port": {`, `"Harbour": {`},
		"is not the Pod that it is said to":     {`"kind": "Pod"}],`, `"kind": "Pot"}],`},
		"lists `Port`, which is not one kind":   {`"schema": {"$ref": "#/definitions/PodList"}`, `"schema": {"$ref": "#/definitions/Port"}`},
		"`Pod` is both [ v1 Pod] and [ v1 Pod]": {`"/api/v1/namespaces/{namespace}/pods/{name}/eviction": {`, `"/api/v1/pods": {"post": {"x-kubernetes-group-version-kind": {"group": "", "version": "v1", "kind": "Pod"}, "parameters": [{"in": "body", "schema": {"$ref": "#/definitions/Pod"}}]}}, "/{name}": {`},
	} {
		if !strings.Contains(document, change[0]) {
			t.Fatalf("`%s` is not in the document", change[0])
		}
		if _, err := read(strings.Replace(document, change[0], change[1], 1)); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("want `%s`, got %v", problem, err)
		}
	}
}

func TestLifecycleFollowsWhatIsServed(t *testing.T) {
	job := func(version string) kind { return kind{"batch", version, "Job"} }
	serving := func(minor minor, versions ...string) api {
		api := api{minor: minor, served: map[kind]bool{}}
		for _, version := range versions {
			api.served[job(version)] = true
		}
		return api
	}
	apis := []api{
		serving(29, "v1alpha1", "v1beta1", "v1beta2"),
		serving(30, "v1beta1", "v1beta2", "v1beta10"),
		serving(31, "v1beta2", "v1beta10"),
	}
	stages := map[kind]stage{
		job("v1beta1"):           {deprecated: 29, removed: 35},
		job("v1beta2"):           {deprecated: 30, removed: 31},
		job("v1beta10"):          {deprecated: 32, removed: 35},
		{"batch", "v1", "Other"}: {},
	}
	got, err := lines(lifecycles(stages, apis))
	want := `{"kind":["batch","v1alpha1","Job"],"removed":"1.30","replacement":["batch","v1beta10","Job"]}
{"kind":["batch","v1beta1","Job"],"deprecated":"1.29","removed":"1.31","replacement":["batch","v1beta10","Job"]}
{"kind":["batch","v1beta2","Job"],"deprecated":"1.30","replacement":["batch","v1beta10","Job"]}
`
	if err != nil || string(got) != want {
		t.Errorf("%v, and got\n%s", err, got)
	}
}

func TestMinorsFollowEachOther(t *testing.T) {
	if err := consecutive([]api{{minor: 29}, {minor: 30}}); err != nil {
		t.Error(err)
	}
	for _, apis := range [][]api{nil, {{minor: 29}, {minor: 31}}, {{minor: 30}, {minor: 29}}, {{minor: 29}, {minor: 29}}} {
		if consecutive(apis) == nil {
			t.Errorf("%v passes", apis)
		}
	}
}

func (m *minor) UnmarshalText(text []byte) error {
	read, err := minorOf("v" + string(text) + ".0")
	*m = read
	return err
}

func read[T any](t *testing.T, name string) []T {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var values []T
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		decoder := json.NewDecoder(strings.NewReader(scanner.Text()))
		decoder.DisallowUnknownFields()
		var value T
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}
