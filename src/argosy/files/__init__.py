"""Files on this machine as people and git wrote them: the files of a model, features as text, git's objects. Knows no client."""
