"""Asks the sampler for the next round of trials."""
