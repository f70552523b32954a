"""Ends the scoring of tables: all parts are there, and nothing else; what they came to is written down."""
