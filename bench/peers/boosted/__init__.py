"""Boosted trees on an impression log; `bench/README.md` says how."""
