// Alloy's command line, without what registers the components and exporters of everything else.
package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/grafana/alloy/internal/alloycli"
	"github.com/grafana/alloy/internal/build"
)

func init() {
	build.Version = fallbackVersion()
	prometheus.MustRegister(build.NewCollector("alloy"))
}

func main() {
	alloycli.Run()
}
