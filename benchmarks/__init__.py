"""Benchmarks that reproduce the figures in docs/; `make bench ARGS=NAME` runs one."""
