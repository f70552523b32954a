"""Holds a snapshot against its three suites of expectations."""
