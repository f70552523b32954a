"""The steps of a pipeline, a folder each: spec (what others see), run (the logic), __main__ (what its image runs)."""
