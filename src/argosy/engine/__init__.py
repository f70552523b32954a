"""Runs a compiled Argo workflow on this machine: YAML in, processes out. Knows no machine learning and no Hera."""
