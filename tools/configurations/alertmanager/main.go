// Writes the keys of Alertmanager's configuration:
//
//	go run . ../../../crates/check/configurations/alertmanager.json
package main

import (
	"fmt"
	"os"

	"github.com/prometheus/alertmanager/config"

	"vigil/tools/configurations/keys"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: %s FILE", os.Args[0])
	}
	out, err := os.Create(os.Args[1])
	if err != nil {
		return err
	}
	defer out.Close()
	return keys.Write(out, "github.com/prometheus/alertmanager/config v0.30.0", config.Config{})
}
