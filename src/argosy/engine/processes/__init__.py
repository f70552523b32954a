"""Starts the processes of steps, warm where it can, each with a view of the file system of its own, and none that outlives the engine."""
