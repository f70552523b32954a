"""The state of a run on disk: its folder, its journal, its artifacts, its locks."""
