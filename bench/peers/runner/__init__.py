"""Runs vector indexes of other projects, and ours, over one exported workload; `bench/README.md` says how."""
