"""Peers of our allocation of notifications."""
