"""Records a language model in the registry and puts its bundle into the model store."""
