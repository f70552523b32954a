"""StepSpec to Hera template. The only package that imports hera."""
