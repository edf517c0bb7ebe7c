module vigil/tools/configurations/keys

go 1.24
