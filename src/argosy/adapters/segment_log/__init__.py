"""Prediction logs as files: append-only segments while a server runs, Parquet once a segment is full."""
