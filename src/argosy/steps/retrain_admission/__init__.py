"""Decides whether what came from outside starts a retraining."""
