"""Scores one share of the parts of tables, as the server answers rows."""
