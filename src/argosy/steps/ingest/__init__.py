"""Turns the sources into an immutable snapshot."""
