"""Argo's validation: what it refuses is refused before the first step, with the path of the field."""
