// Package converter reads no other agent's configuration: that takes the components of all of them.
package converter

import "github.com/grafana/alloy/internal/converter/diag"

// Input is the format of a configuration.
type Input string

// SupportedFormats are those that can be read besides Alloy's own.
var SupportedFormats []string

// Convert refuses every format.
func Convert(_ []byte, format Input, _ []string) ([]byte, diag.Diagnostics) {
	var problems diag.Diagnostics
	problems.Add(diag.SeverityLevelCritical, "this build reads no configuration of the format "+string(format))
	return nil, problems
}
