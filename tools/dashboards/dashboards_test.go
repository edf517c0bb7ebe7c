package dashboards

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// What Grafana's own schemas refuse: fields that they do not know or miss, also of panels and queries, and values of another type.
// Which texts a field takes they do not say.
func TestGrafanaKnowsAll(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	files, err := filepath.Glob(filepath.Join(os.Getenv("VIGIL_DASHBOARDS"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards in VIGIL_DASHBOARDS: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var read dashboard.Dashboard
		// What it returns for a dashboard without a fault is a list of none.
		if err := read.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if err := read.Validate(); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}
