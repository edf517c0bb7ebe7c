// The newest of Grafana that Go's module proxy gives: a commit on the way to 10.0.
module vigil/tools/cluster/grafana

go 1.26.5

tool github.com/google/wire/cmd/wire

require github.com/grafana/grafana v1.9.2-0.20230609164553-81d85ce8028d

require (
	github.com/google/subcommands v1.2.0 // indirect
	github.com/google/wire v0.7.0 // indirect
	github.com/pmezard/go-difflib v1.0.1-0.20181226105442-5d4384ee4fb2 // indirect
	golang.org/x/mod v0.20.0 // indirect
	golang.org/x/sync v0.8.0 // indirect
	golang.org/x/tools v0.24.1 // indirect
)
