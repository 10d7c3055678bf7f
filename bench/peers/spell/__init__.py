"""Peers of our spelling correction."""
