// Package crds pins what the custom resource definitions in templates/crds are made from: the operator's API, and the
// generator. The generator's version is the one that reads the same k8s.io modules as that API; a newer one would
// raise them, and put fields into the definitions that the operator does not know.
package crds

import (
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
)
