"""Language models that answer questions from documents: their settings, items, bundle, measurements."""
