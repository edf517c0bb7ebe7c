set shell := ["bash", "-euo", "pipefail", "-c"]

alias golden := golden-review

# List the recipes
[private]
default:
    @just --list --unsorted

# Render stack.yaml into manifests/
[group('stack')]
render *arguments:
    cargo run --quiet -- render {{ arguments }}

# Accept what stack.yaml renders to; read `git diff golden/stack` before you commit
[group('stack')]
accept:
    INSTA_UPDATE=always cargo test --quiet --workspace --test stack your_stack
    @git status --short golden/stack

# Fail, with a diff, when manifests/ is not what stack.yaml renders to
[group('stack')]
stale:
    cargo run --quiet -- render --check

# Judge manifests as an API server would, and follow their references: manifests/, or what is named
[group('stack')]
check *arguments:
    cargo run --quiet -- check {{ arguments }}

# Write the digests of images behind their tags: in stack.yaml, or in files that are named; needs crane or Go
[group('stack')]
digests *files="stack.yaml":
    tools/ci/digests {{ files }}

# Say on one page what the stack is, and what applying it changes: report.html
[group('stack')]
report *arguments:
    cargo run --quiet -- report {{ arguments }} >report.html
    @echo 'report.html is written; open it in a browser'

# Say why a rule of the check is there; without a name, list all rules
[group('stack')]
explain *rule:
    cargo run --quiet -- explain {{ rule }}

# Say what an alert means, how to look and how to mend; without a name, list all alerts
[group('stack')]
runbook *alert:
    cargo run --quiet -- runbook {{ alert }}

# Show what an apply would change in the cluster
[group('cluster')]
diff: _cluster
    kubectl diff -k manifests || [[ $? == 1 ]]

# Apply manifests/ to the cluster: definitions first, and the rest once the API server knows them
[group('cluster')]
apply: _cluster
    @if [[ -d manifests/metrics-server ]]; then \
        for field in 'deployment:{.spec.selector.matchLabels}' 'service:{.spec.selector}' \
            'apiservice:{.spec.service.namespace}/{.spec.service.name}'; do \
            file=manifests/metrics-server/${field%%:*}.yaml; \
            theirs=$(kubectl get -f "$file" --ignore-not-found -o "jsonpath=${field#*:}"); \
            ours=$(kubectl create --dry-run=client -f "$file" -o "jsonpath=${field#*:}"); \
            if [[ -n $theirs && $theirs != "$ours" ]]; then \
                printf '%s\n' "the cluster has a metrics-server of its own: its ${field%%:*} says $theirs, ours $ours." \
                    'Ours over it would leave `kubectl top` and every autoscaler without an answer; nothing was applied.' \
                    'Set `metrics-server.enabled: false` in stack.yaml and render, or remove the one of the cluster.' >&2; \
                exit 1; \
            fi; \
        done; \
    fi
    @if [[ -d manifests/crds ]]; then \
        kubectl apply -k manifests/crds; \
        for _ in 1 2 3; do \
            kubectl kustomize manifests/crds | kubectl wait --for condition=established --timeout=60s -f - && break; \
            sleep 1; \
        done; \
    fi
    kubectl apply -k manifests

# Delete all that manifests/ holds, its namespaces and what is in them
[confirm("This deletes the stack, its namespaces and everything in them, data and Helm releases too. Go on? [y/N]")]
[group('cluster')]
delete: _cluster
    kubectl delete -k manifests --ignore-not-found

# Show the pods of the stack's namespaces
[group('cluster')]
status: _cluster
    @for namespace in $(sed -n 's/^  name: //p' manifests/namespaces/namespaces.yaml); do \
        printf '\n%s\n' "$namespace"; \
        kubectl get pods --namespace "$namespace" --output wide; \
    done

# Print the password of Grafana's user admin
[group('cluster')]
password: _cluster
    @secret=$(sed -n 's/^  name: //p' manifests/grafana/service.yaml); \
    namespace=$(sed -n 's/^  namespace: //p' manifests/grafana/service.yaml); \
    kubectl get secret --namespace "$namespace" "$secret" -o jsonpath='{.data.admin-password}' | base64 -d; echo

# Open Grafana at http://localhost:3000 until Ctrl-C
[group('cluster')]
grafana: _cluster
    @just _forward grafana 3000

# Open Prometheus at http://localhost:9090 until Ctrl-C
[group('cluster')]
prometheus: _cluster
    @just _forward prometheus 9090

# Forward a local port to the Service of a component
_forward component port:
    @file=manifests/{{ component }}/service.yaml; \
    [[ -f $file ]] || { echo '{{ component }} is switched off in stack.yaml' >&2; exit 1; }; \
    name=$(sed -n 's/^  name: //p;T;q' "$file"); namespace=$(sed -n 's/^  namespace: //p;T;q' "$file"); \
    port=$(sed -n 's/^    port: //p;T;q' "$file"); \
    echo 'http://localhost:{{ port }}'; \
    kubectl port-forward --namespace "$namespace" "service/$name" "{{ port }}:$port"

_cluster:
    @command -v kubectl >/dev/null || { echo 'kubectl is missing; install it, and point it to your cluster' >&2; exit 1; }
    @kubectl cluster-info --request-timeout=5s >/dev/null 2>&1 || { \
        echo 'no cluster answers; see `kubectl config get-contexts` and `kubectl cluster-info`' >&2; exit 1; }

# Run all tests
[group('code')]
test *arguments:
    cargo test --workspace {{ arguments }}

# Go through the snapshots that the last tests found changed, one by one
[group('code')]
golden-review:
    @cargo insta --version >/dev/null 2>&1 || { \
        echo 'cargo-insta is missing: `cargo install --locked cargo-insta`' >&2; exit 1; }
    cargo insta review

# Accept every changed snapshot; read `git diff golden` before you commit
[group('code')]
golden-accept:
    INSTA_UPDATE=always cargo test --workspace --no-fail-fast
    @git status --short golden

# Generate the custom resource definitions anew; needs Go
[group('code')]
crds:
    cd tools/crds && go mod download
    cd tools/definitions && go mod download
    VIGIL_UPDATE_CRDS=1 cargo test --test crds committed_definitions
    VIGIL_UPDATE_CRDS=1 cargo test --test crds the_checker_knows
    cargo test --test crds

# Generate the schemas of the Kubernetes API anew; needs Go, and fetches 170 MB the first time
[group('code')]
schemas:
    cd tools/schemas && go run .
    cargo test --test schemas

# Generate anew which keys configuration files of programs take; needs Go
[group('code')]
configurations:
    tools/configurations/generate
    cargo test --package vigil-check --lib embedded

# Generate anew which metrics programs expose, with which labels; needs Go and curl, and builds the programs
[group('code')]
metrics:
    tools/cluster/build alertmanager etcd loki node-exporter prometheus
    tools/metrics/generate
    cargo test --package vigil-check --lib embedded

# Draw pictures of the dashboards from a synthetic cluster into docs/dashboards; needs Go, npm, Chromium and ImageMagick.
# It builds and runs Loki, a program under the AGPL, which is changed in nothing.
[group('code')]
pictures:
    @for program in npm chromium convert; do \
        command -v "$program" >/dev/null || { echo "$program is missing; install it" >&2; exit 1; }; \
    done
    tools/cluster/build promtool loki
    @home=${VIGIL_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/vigil}/pictures; mkdir -p "$home"; \
    cp tools/pictures/package.json tools/pictures/package-lock.json "$home"; \
    npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund
    cargo test --quiet -p vigil-render --test rules pictures_are_drawn -- --ignored

# Measure
[group('code')]
bench *arguments:
    cargo bench {{ arguments }}

# Break every rule of Prometheus in every small way: its cases must notice
[group('code')]
mutations:
    tools/cluster/build promtool
    cargo test --quiet -p vigil-render --test rules cases_notice_a_rule_that_is_broken -- --ignored --nocapture

# Measure what the rules cost Prometheus in a cluster of so many nodes and pods, and write it into docs/alerts.md; needs Go
[group('code')]
cost nodes="500" pods="15000":
    tools/cluster/build prometheus promtool
    cargo run --quiet -p vigil-cluster -- cost --nodes {{ nodes }} --pods {{ pods }} --date "$(date +%F)" --write docs/alerts.md

# Fuzz the YAML reader, stack.yaml, the checker or the reader of LogQL (reader, stack, check, logql) for ten minutes; needs cargo-fuzz
[group('code')]
fuzz target seconds="600":
    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir fuzz {{ target }} fuzz/corpus/{{ target }} stacks -- -max_total_time={{ seconds }} -max_len=4096

# Prove the stacks on a real control plane and with the real programs, and write docs/proof.md; needs Go and python3
[group('code')]
e2e *arguments:
    tools/cluster/build
    cargo run --quiet -p vigil-cluster -- prove --date "$(date +%F)" --write docs/proof.md {{ arguments }}

# Format the code
[group('code')]
fmt:
    cargo fmt --all

# Look for what clippy objects to
[group('code')]
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Check licences, advisories, sources and duplicates of the dependencies
[group('code')]
deny:
    @cargo deny --version >/dev/null 2>&1 || { \
        echo 'cargo-deny is missing: `cargo install --locked cargo-deny`' >&2; exit 1; }
    cargo deny check

# Run everything that a change must pass
[group('code')]
ci:
    .ci/run
