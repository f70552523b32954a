"""The pure part of the engine: nodes and events in, next actions out. Opens no file and starts no process."""
