"""Plans the scoring of tables: which model, which parts, how many pods."""
