"""What a run leaves on disk: its folder, its journal, its artifacts, its locks."""
