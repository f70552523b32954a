"""A manifest: read, checked field by field, its templates looked up."""
