"""Decisions and the documents they are made on. Standard library and pydantic only: no frames, no clients, no files."""
