"""Who may ask the model: proves callers, holds them to their models and their rates. The same for every protocol."""
