// Promtail, from the packages that Loki's module still carries. The program itself has left that module.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/grafana/dskit/flagext"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/grafana/loki/v3/clients/pkg/promtail"
	"github.com/grafana/loki/v3/clients/pkg/promtail/client"
	"github.com/grafana/loki/v3/clients/pkg/promtail/config"
	"github.com/grafana/loki/v3/pkg/util/cfg"
	util_log "github.com/grafana/loki/v3/pkg/util/log"

	// Finds the pods.
	_ "github.com/prometheus/prometheus/discovery/kubernetes"
)

// settings is Promtail's configuration with the flag that names its file.
type settings struct {
	config.Config `yaml:",inline"`
	file          string
	expandEnv     bool
}

func (s *settings) RegisterFlags(flags *flag.FlagSet) {
	flags.StringVar(&s.file, "config.file", "", "the configuration")
	flags.BoolVar(&s.expandEnv, "config.expand-env", false, "expand variables in the configuration")
	s.Config.RegisterFlags(flags)
}

// Clone gives the reader of flags and files a copy to fill.
func (s *settings) Clone() flagext.Registerer {
	return func(s settings) *settings { return &s }(*s)
}

func run() error {
	var given settings
	flags := flag.NewFlagSet("promtail", flag.ExitOnError)
	if err := cfg.DefaultUnmarshal(&given, os.Args[1:], flags); err != nil {
		return err
	}
	util_log.InitLogger(&given.Config.ServerConfig.Config, prometheus.DefaultRegisterer, false)
	reload := func() (*config.Config, error) { return &given.Config, nil }
	program, err := promtail.New(given.Config, reload, client.NewMetrics(prometheus.DefaultRegisterer), false)
	if err != nil {
		return err
	}
	defer program.Shutdown()
	return program.Run()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "promtail:", err)
		os.Exit(1)
	}
}
