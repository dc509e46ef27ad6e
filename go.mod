module github.com/runnelio/runnel

go 1.26
