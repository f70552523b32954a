"""Records the run and the version in the registry and puts the bundle into the model store."""
