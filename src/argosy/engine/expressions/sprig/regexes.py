"""sprig's regular expressions, versions and addresses."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from argosy.engine.expressions import patterns, semver, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Function
from argosy.engine.expressions.sprig.signature import typed


def _matches(pattern: str, text: str) -> bool:
    try:
        return bool(patterns.compiled(pattern).search(text))
    except ExpressionError:
        return False


def _found(pattern: str, text: str) -> str:
    match = patterns.compiled(pattern).search(text)
    return match[0] if match else ""


def _all_found(pattern: str, text: str, count: int) -> list[str]:
    found = [match[0] for match in patterns.compiled(pattern).finditer(text)]
    return values.NilList(found if count < 0 else found[:count])


def _replaced(pattern: str, text: str, new: str) -> str:
    return patterns.compiled(pattern).sub(lambda match: patterns.expanded(new, match), text)


def _split(pattern: str, text: str, count: int) -> list[str]:
    if count == 0:
        return values.NilList()
    if pattern and not text:
        return [""]
    parts: list[str] = []
    start = end = 0
    for match in patterns.compiled(pattern).finditer(text):
        if 0 < count == len(parts) + 1:
            break
        end = match.start()
        if match.end() != 0:
            parts.append(text[start:end])
        start = match.end()
    # What an empty match at the very end leaves is no part.
    return parts if end == len(text) and parts else [*parts, text[start:]]


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = urlsplit(text)
        host = found.netloc.rpartition("@")[2]
        return {
            "scheme": found.scheme,
            "host": host,
            "hostname": found.hostname or "",
            "path": found.path,
            "query": found.query,
            "opaque": "",
            "fragment": found.fragment,
            "userinfo": found.netloc.rpartition("@")[0],
        }
    except ValueError as error:
        raise ExpressionError(f"unable to parse url: {error}") from None


def _joined(parts: dict[str, str]) -> str:
    for key, value in parts.items():
        if not isinstance(value, str):
            raise ExpressionError(f"unable to parse {key} key, must be of type string")
    user = parts.get("userinfo", "")
    host = f"{user}@{parts.get('host', '')}" if user else parts.get("host", "")
    return urlunsplit(
        (parts.get("scheme", ""), host, parts.get("path", ""), parts.get("query", ""), parts.get("fragment", ""))
    )


_MUST: dict[str, Function] = {
    "RegexMatch": typed("ss", lambda pattern, text: bool(patterns.compiled(pattern).search(text))),
    "RegexFind": typed("ss", _found),
    "RegexFindAll": typed("ssi", _all_found),
    "RegexReplaceAll": typed("sss", _replaced),
    "RegexReplaceAllLiteral": typed(
        "sss", lambda pattern, text, new: patterns.compiled(pattern).sub(lambda _: new, text)
    ),
    "RegexSplit": typed("ssi", _split),
}

FUNCTIONS: dict[str, Function] = {
    **{f"must{name}": work for name, work in _MUST.items()},
    **{name[0].lower() + name[1:]: work for name, work in _MUST.items()},
    "regexMatch": typed("ss", _matches),
    "regexQuoteMeta": typed("s", lambda text: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)),
    "semver": typed("s", semver.described),
    "semverCompare": typed("ss", semver.satisfies),
    "urlParse": typed("s", _parsed),
    "urlJoin": typed("m", _joined),
}
