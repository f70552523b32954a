"""Spark: a session, and joins that one machine has no room for."""
