// What Loki says of queries: a JSON list of them comes from stdin, and for each goes to stdout whether it asks for lines of
// logs or for numbers, or why Loki refuses it, when it reads the query or when it begins to work.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/grafana/loki/v3/pkg/logql/syntax"
)

type verdict struct {
	Metric  bool   `json:"metric"`
	Refusal string `json:"refusal,omitempty"`
}

func of(query string) verdict {
	expr, err := syntax.ParseExpr(query)
	if err != nil {
		return verdict{Refusal: err.Error()}
	}
	expr.Walk(func(part syntax.Expr) bool {
		if err != nil {
			return false
		}
		switch part := part.(type) {
		case *syntax.RangeAggregationExpr:
			_, err = part.Extractors()
			return false
		case syntax.LogSelectorExpr:
			_, err = part.Pipeline()
			return false
		}
		return true
	})
	if err != nil {
		return verdict{Refusal: err.Error()}
	}
	// A number is both to Loki.
	_, isMetric := expr.(syntax.SampleExpr)
	return verdict{Metric: isMetric}
}

func main() {
	// Parsers of Loki's print what they dislike to stdout.
	out := os.Stdout
	os.Stdout = os.Stderr
	var queries []string
	if err := json.NewDecoder(os.Stdin).Decode(&queries); err != nil {
		log.Fatal(err)
	}
	verdicts := make([]verdict, len(queries))
	for at, query := range queries {
		verdicts[at] = of(query)
	}
	if err := json.NewEncoder(out).Encode(verdicts); err != nil {
		log.Fatal(err)
	}
}
