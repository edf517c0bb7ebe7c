package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

const kubernetes = "k8s.io/kubernetes"

// A module at one version, as modules.sum pins it. It has the form of a go.sum, and is none: that can serve several
// versions of a module only through as many go.mod files.
type module struct {
	Path, Version, Sum string
	// Where its files are, once it is fetched.
	Dir string
}

func pinned(file string) ([]module, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var modules []module
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || len(fields) > 3 {
			return nil, fmt.Errorf("%s: `%s` is not a module, its version and its sum", file, strings.TrimSpace(line))
		}
		// A line without a sum is told the sum that belongs there, by fetch.
		fields = append(fields, "")
		modules = append(modules, module{Path: fields[0], Version: fields[1], Sum: fields[2]})
	}
	return modules, nil
}

// Fetches what is not in the module cache, and takes nothing whose sum is not the pinned one.
func fetch(modules []module) error {
	arguments := []string{"mod", "download", "-json"}
	for _, module := range modules {
		arguments = append(arguments, module.Path+"@"+module.Version)
	}
	command := exec.Command("go", arguments...)
	// Outside of any module, so that nobody's go.sum grows.
	command.Dir = os.TempDir()
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	command.Stderr = os.Stderr
	output, err := command.Output()
	if len(output) == 0 && err != nil {
		return fmt.Errorf("go mod download: %w", err)
	}
	type download struct{ Path, Version, Sum, Dir, Error string }
	downloads := map[module]download{}
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var download download
		if err := decoder.Decode(&download); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("go mod download: %w", err)
		}
		downloads[module{Path: download.Path, Version: download.Version}] = download
	}
	var problems []error
	for i, pin := range modules {
		got := downloads[module{Path: pin.Path, Version: pin.Version}]
		switch {
		case got.Error != "":
			problems = append(problems, errors.New(got.Error))
		case got.Dir == "" || got.Sum == "" || got.Sum != pin.Sum:
			problems = append(problems, fmt.Errorf("%s@%s has the sum `%s`, and `%s` is pinned", pin.Path, pin.Version, got.Sum, pin.Sum))
		default:
			modules[i].Dir = got.Dir
		}
	}
	return errors.Join(problems...)
}

// A minor of Kubernetes 1.
type minor int

func (m minor) String() string {
	return "1." + strconv.Itoa(int(m))
}

func (m minor) MarshalText() ([]byte, error) {
	return []byte(m.String()), nil
}

// The minor of a module's version such as v1.29.15.
func minorOf(version string) (minor, error) {
	parts := strings.Split(version, ".")
	if len(parts) != 3 || parts[0] != "v1" {
		return 0, fmt.Errorf("`%s` is not a version of Kubernetes 1", version)
	}
	number, err := strconv.Atoi(parts[1])
	return minor(number), err
}
