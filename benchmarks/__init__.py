"""The figures that docs/ states, each measured again by `make bench ARGS=NAME`."""
