"""Tables through DuckDB: files read by a data contract, snapshots asked for examples."""
