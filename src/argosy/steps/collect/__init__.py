"""Reads documents, questions and labelled answers into an immutable snapshot."""
