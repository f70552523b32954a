"""The one failure that the languages report."""


class ExpressionError(Exception):
    """A text cannot be parsed, or its value cannot be computed. The message says which text and why."""
