module vigil/tools/schemas

go 1.24.0
