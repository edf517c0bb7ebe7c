module vigil/tools/configurations

go 1.24
