"""Go's durations, which Argo's manifests are written in: ``90``, ``1h30m``, ``500ms``."""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"[+-]?({_PART.pattern})+")


def seconds(text: str) -> float:
    """*text* in seconds; digits alone are seconds. Raises ValueError where it is no duration."""
    text = text.strip()
    if re.fullmatch(r"[+-]?\d+", text):
        return float(text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write for example 90s, 5m or 1h30m")
    size = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return -size if text.startswith("-") else size
