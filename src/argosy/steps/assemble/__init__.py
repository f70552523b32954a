"""Makes the bundle of a language model: prompt, retrieval settings, passages."""
