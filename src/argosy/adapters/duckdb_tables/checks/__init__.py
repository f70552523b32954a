"""Expectations as questions to DuckDB: as few passes over a table as possible, and the answers that Great Expectations would give."""
