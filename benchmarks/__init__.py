"""The figures that the README states, each measured again by `make bench ARGS=NAME`."""
