"""Argo's three small languages: variables in texts, expr-lang expressions, and govaluate conditions."""
