"""Measures a model on six dimensions and holds it against its policy and the champion."""
