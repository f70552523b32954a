"""Calculation: frames and arrays in, results out. No network, no clients."""
