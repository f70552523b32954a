"""Features through Feast: a repository for one snapshot, and its online store as files."""
