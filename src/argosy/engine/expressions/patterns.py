"""Go's regular expressions (RE2) with Python's engine: what RE2 does not know is refused, what is spelled differently is translated."""

import functools
import re

from argosy.engine.expressions.errors import ExpressionError

LONGEST = 1000
_FOREIGN = re.compile(r"\\\\|\\([1-9])|\(\?(?:[=!>#(]|<[=!])|\(\?P[=>]|\\[pP]|([*+?}])\+|\\[GZ]")
_CLASSES = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "0-9A-Za-z",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\t\n\v\f\r ",
    "blank": r"\t ",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "word": "0-9A-Za-z_",
}


@functools.lru_cache(256)
def compiled(pattern: str) -> re.Pattern[str]:
    """*pattern* compiled. Raises ExpressionError where RE2 would, and for Unicode classes, which Python does not have."""
    if len(pattern) > LONGEST:
        raise ExpressionError(f"a regular expression of {len(pattern)} characters is too long; {LONGEST} is the limit")
    for match in _FOREIGN.finditer(pattern):
        if match[0] != "\\\\":
            raise ExpressionError(f"the regular expression {pattern!r} uses {match[0]!r}, which is not known here")
    for name, members in _CLASSES.items():
        pattern = pattern.replace(f"[:{name}:]", members)
    pattern = pattern.replace(r"\z", r"\Z").replace("(?<", "(?P<")
    try:
        # RE2's classes are of ASCII, and its $ is the end of the text only.
        return re.compile(_dollar(pattern), re.ASCII)
    except re.error as error:
        raise ExpressionError(f"{pattern!r} is not a regular expression: {error}") from None


def _dollar(pattern: str) -> str:
    if "(?" in pattern and "m" in pattern:
        return pattern
    return re.sub(
        r"\\.|\[(?:\\.|[^\]\\])*\]|\$", lambda match: r"\Z" if match[0] == "$" else match[0], pattern, flags=re.DOTALL
    )


def expanded(template: str, match: re.Match[str]) -> str:
    """*template* with ``$1`` and ``${name}`` replaced, as Go's ReplaceAllString does."""

    def group(reference: re.Match[str]) -> str:
        if reference[0] == "$$":
            return "$"
        name = reference[1] or reference[2]
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return re.sub(r"\$\$|\$\{(\w+)\}|\$(\w+)", group, template)
