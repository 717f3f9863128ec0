module bspnode/tests/pion

go 1.19
