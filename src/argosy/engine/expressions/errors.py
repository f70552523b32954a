"""The one failure of all expression languages."""


class ExpressionError(Exception):
    """The text cannot be read, a name in it is unknown, or it cannot be evaluated; the message says which."""
