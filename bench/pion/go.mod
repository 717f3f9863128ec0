module bspnode/bench/pion

go 1.19
