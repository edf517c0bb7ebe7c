// Command schemas writes schemas/, what is known of the API of each Kubernetes minor, from the modules of modules.sum.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const folder = "../../schemas"

func main() {
	files, err := generate("modules.sum")
	if err == nil {
		err = write(files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func write(files map[string][]byte) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// The files of schemas/, by name.
func generate(pins string) (map[string][]byte, error) {
	modules, err := pinned(pins)
	if err != nil {
		return nil, err
	}
	if err := fetch(modules); err != nil {
		return nil, err
	}
	var apis []api
	stages := map[kind]stage{}
	for _, module := range modules {
		if module.Path == kubernetes {
			read, err := openapi(module)
			if err != nil {
				return nil, fmt.Errorf("%s@%s: %w", module.Path, module.Version, err)
			}
			apis = append(apis, read)
		} else if err := stagesOf(module.Dir, stages); err != nil {
			return nil, fmt.Errorf("%s@%s: %w", module.Path, module.Version, err)
		}
	}
	if err := consecutive(apis); err != nil {
		return nil, err
	}
	definitions, err := lines(variants(apis))
	if err != nil {
		return nil, err
	}
	lifecycle, err := lines(lifecycles(stages, apis))
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"kubernetes.jsonl": definitions, "lifecycle.jsonl": lifecycle}, nil
}

// A gap would give a change to the wrong minor.
func consecutive(apis []api) error {
	if len(apis) == 0 {
		return fmt.Errorf("no version of %s", kubernetes)
	}
	for i, api := range apis {
		if api.minor != apis[0].minor+minor(i) {
			return fmt.Errorf("%s after %s: one version of each minor, the oldest first", api.minor, apis[i-1].minor)
		}
	}
	return nil
}

func lines[T any](values []T) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	for _, value := range values {
		if err := encoder.Encode(value); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}
