"""Signs bundle and evidence."""
