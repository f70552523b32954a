"""One attempt of one pod: its files laid out, its process run, its outputs collected, or all of that taken from the cache."""
