module vigil/tools/metrics

go 1.24
