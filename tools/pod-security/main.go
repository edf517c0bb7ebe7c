// Judges pods as the admission plugin of an API server does, with its own library: by the labels of their namespaces, and by the
// level `restricted`, whatever those say.
//
// On stdin, one object a line, as JSON: the objects of one set. On stdout, one line of JSON for each check that a pod does not
// pass, and a last one with the number of pods that were judged.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// object is what the plugin looks at: a namespace, a pod, or what has a template of pods.
type object struct {
	Kind     string            `json:"kind"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     json.RawMessage   `json:"spec"`
}

// templated is where workloads keep the template of their pods.
type templated struct {
	Template    *corev1.PodTemplateSpec `json:"template"`
	JobTemplate *struct {
		Spec struct {
			Template *corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	} `json:"jobTemplate"`
}

// failed is a check that a pod does not pass.
type failed struct {
	Object    string `json:"object"`
	Namespace string `json:"namespace"`
	Mode      string `json:"mode"`
	Level     string `json:"level"`
	Check     string `json:"check"`
	Detail    string `json:"detail"`
}

func main() {
	if err := judge(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judge(in io.Reader, out io.Writer) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	objects, err := read(in)
	if err != nil {
		return err
	}
	levels, err := levels(objects)
	if err != nil {
		return err
	}
	told, judged := json.NewEncoder(out), 0
	for _, object := range objects {
		template, err := pod(object)
		if err != nil {
			return err
		}
		if template == nil {
			continue
		}
		judged++
		type mode struct {
			name  string
			level api.LevelVersion
		}
		modes := []mode{{"none", api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}}}
		if of, known := levels[object.Metadata.Namespace]; known {
			modes = append(modes, mode{"enforce", of.Enforce}, mode{"audit", of.Audit}, mode{"warn", of.Warn})
		}
		for _, mode := range modes {
			for _, result := range evaluator.EvaluatePod(mode.level, &template.ObjectMeta, &template.Spec) {
				if result.Allowed {
					continue
				}
				line := failed{
					Object:    object.Kind + " " + object.Metadata.Name,
					Namespace: object.Metadata.Namespace,
					Mode:      mode.name,
					Level:     string(mode.level.Level),
					Check:     result.ForbiddenReason,
					Detail:    result.ForbiddenDetail,
				}
				if err := told.Encode(line); err != nil {
					return err
				}
			}
		}
	}
	return told.Encode(map[string]int{"judged": judged})
}

func read(in io.Reader) ([]object, error) {
	var objects []object
	for decoder := json.NewDecoder(in); ; {
		var one object
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, err
		}
		objects = append(objects, one)
	}
}

// levels has the policy of every namespace that the set makes. Those that it does not make have labels that nobody here knows.
func levels(objects []object) (map[string]api.Policy, error) {
	open := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	found := map[string]api.Policy{}
	for _, object := range objects {
		if object.Kind != "Namespace" {
			continue
		}
		of, wrong := api.PolicyToEvaluate(object.Metadata.Labels, api.Policy{Enforce: open, Audit: open, Warn: open})
		if len(wrong) > 0 {
			return nil, fmt.Errorf("namespace %s: %w", object.Metadata.Name, wrong.ToAggregate())
		}
		found[object.Metadata.Name] = of
	}
	return found, nil
}

// pod is what an object makes pods of; nothing for one that makes none.
func pod(from object) (*corev1.PodTemplateSpec, error) {
	template := &corev1.PodTemplateSpec{ObjectMeta: from.Metadata}
	switch from.Kind {
	case "Pod":
		return template, json.Unmarshal(from.Spec, &template.Spec)
	case "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Job", "CronJob":
		var spec templated
		if err := json.Unmarshal(from.Spec, &spec); err != nil {
			return nil, fmt.Errorf("%s %s: %w", from.Kind, from.Metadata.Name, err)
		}
		if spec.JobTemplate != nil {
			return spec.JobTemplate.Spec.Template, nil
		}
		return spec.Template, nil
	}
	return nil, nil
}
