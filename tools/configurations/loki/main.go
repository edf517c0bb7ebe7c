// Writes the keys of the configuration of Loki and of Promtail:
//
//	go run . loki ../../../crates/check/configurations/loki-3.7.json
//	go run . promtail ../../../crates/check/configurations/promtail-3.json
package main

import (
	"fmt"
	"os"

	promtail "github.com/grafana/loki/v3/clients/pkg/promtail/config"
	"github.com/grafana/loki/v3/pkg/loki"

	"vigil/tools/configurations/keys"
)

const version = "v3.7.8"

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: %s loki|promtail FILE", os.Args[0])
	}
	out, err := os.Create(os.Args[2])
	if err != nil {
		return err
	}
	defer out.Close()
	if os.Args[1] == "promtail" {
		return keys.Write(out, "github.com/grafana/loki/v3/clients/pkg/promtail/config "+version, promtail.Config{})
	}
	return keys.Write(out, "github.com/grafana/loki/v3/pkg/loki "+version, loki.Config{})
}
