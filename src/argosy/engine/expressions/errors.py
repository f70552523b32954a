"""The failures that the languages report."""


class ExpressionError(Exception):
    """A text cannot be parsed, or its value cannot be computed. The message says which text and why."""


class GivenUp(ExpressionError):
    """An expression takes too long or makes too much: it is never left for later."""
