"""Prediction logs: append-only segments on this machine while a server runs, Parquet in the store of objects once they are shipped."""
