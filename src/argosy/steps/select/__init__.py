"""Chooses the trial the final model is fitted with."""
