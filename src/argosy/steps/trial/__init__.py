"""Scores a batch of trials by cross-validation."""
