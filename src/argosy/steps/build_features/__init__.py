"""Joins features to examples as they were known at the time."""
