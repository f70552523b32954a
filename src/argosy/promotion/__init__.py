"""Promotion over the ports: what a request is about, its checks and its merge, what main named before, and what a merge leads to."""
