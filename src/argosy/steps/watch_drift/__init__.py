"""Looks at what a model has answered where it is served, and keeps what it saw. Drift is an answer here, and no failure."""
