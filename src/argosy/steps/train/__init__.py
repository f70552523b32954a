"""Fits the final model and packs the bundle."""
