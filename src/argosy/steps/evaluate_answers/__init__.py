"""Has a language model answer its evaluation set, judges the answers, and writes the evidence."""
