package crds

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	v1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

type schema = map[string]any

// Every field of the API's Go types has a place in the definitions: an API server prunes what has none, silently.
func TestNoFieldIsPruned(t *testing.T) {
	kinds := map[string]any{
		"alertmanagerconfigs": v1alpha1.AlertmanagerConfig{},
		"alertmanagers":       v1.Alertmanager{},
		"podmonitors":         v1.PodMonitor{},
		"probes":              v1.Probe{},
		"prometheusagents":    v1alpha1.PrometheusAgent{},
		"prometheuses":        v1.Prometheus{},
		"prometheusrules":     v1.PrometheusRule{},
		"scrapeconfigs":       v1alpha1.ScrapeConfig{},
		"servicemonitors":     v1.ServiceMonitor{},
		"thanosrulers":        v1.ThanosRuler{},
	}
	files, err := filepath.Glob("../../templates/crds/*.yaml")
	if err != nil || len(files) != len(kinds) {
		t.Fatalf("%d definitions, and %d kinds: %v", len(files), len(kinds), err)
	}
	for plural, kind := range kinds {
		text, err := os.ReadFile("../../templates/crds/" + plural + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var crd schema
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		version := crd["spec"].(schema)["versions"].([]any)[0].(schema)
		walk := walker{t: t, above: map[reflect.Type]bool{}}
		walk.fields(reflect.TypeOf(kind), version["schema"].(schema)["openAPIV3Schema"].(schema), plural)
		if walk.seen < 20 {
			t.Errorf("%s: only %d fields were compared", plural, walk.seen)
		}
		t.Logf("%s: %d fields", plural, walk.seen)
	}
}

type walker struct {
	t     *testing.T
	seen  int
	above map[reflect.Type]bool
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

func (w *walker) fields(typ reflect.Type, in schema, path string) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	// What reads itself has a form of its own; object metadata is the API server's own affair.
	if typ == reflect.TypeFor[metav1.ObjectMeta]() || reflect.PointerTo(typ).Implements(unmarshaler) {
		return
	}
	if in["x-kubernetes-preserve-unknown-fields"] == true {
		return
	}
	switch typ.Kind() {
	case reflect.Slice:
		if items, ok := in["items"].(schema); ok {
			w.fields(typ.Elem(), items, path+"[]")
		} else if typ.Elem().Kind() != reflect.Uint8 {
			w.t.Errorf("%s: no schema of its items", path)
		}
	case reflect.Map:
		if values, ok := in["additionalProperties"].(schema); ok {
			w.fields(typ.Elem(), values, path+"{}")
		} else {
			w.t.Errorf("%s: no schema of its values", path)
		}
	case reflect.Struct:
		// No type here holds itself but the routes of an AlertmanagerConfig, whose schema ends there.
		if w.above[typ] {
			return
		}
		w.above[typ] = true
		w.of(typ, in, path)
		delete(w.above, typ)
	}
}

func (w *walker) of(typ reflect.Type, in schema, path string) {
	properties, _ := in["properties"].(schema)
	for i := range typ.NumField() {
		field := typ.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "-" {
			continue
		}
		if field.Anonymous && (name == "" || strings.Contains(options, "inline")) {
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			w.of(inner, in, path)
			continue
		}
		if name == "" {
			name = field.Name
		}
		below, ok := properties[name].(schema)
		w.seen++
		if !ok {
			w.t.Errorf("%s.%s is a field of the API that the definition does not know", path, name)
			continue
		}
		w.fields(field.Type, below, path+"."+name)
	}
}
