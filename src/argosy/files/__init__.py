"""What lies on this machine as people and git wrote it: the files of a model, features as text, git's objects. Knows no client."""
