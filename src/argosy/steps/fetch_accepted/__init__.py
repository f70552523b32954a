"""Takes the snapshot that was accepted last out of the model store."""
