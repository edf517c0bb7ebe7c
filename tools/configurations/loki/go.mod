module vigil/tools/configurations/loki

go 1.24

require (
	github.com/grafana/loki/v3 v3.7.8
	vigil/tools/configurations/keys v0.0.0
)

replace vigil/tools/configurations/keys => ../keys
