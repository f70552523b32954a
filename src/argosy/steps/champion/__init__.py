"""Reads from the environment repo which model is in production, and the policy it is judged by."""
