"""A request that came whole, known by its head alone: enough to refuse it.

Past saturation most of what a server does is to say no. A parser, a request's objects and its body cost several times what the answer does,
and every refusal takes time from those who are let in. So here is what a refusal needs, of a head that is written the plain way; anything
else about it (framing that could be read in two ways above all) is left to the parser.
"""

import re
from dataclasses import dataclass

MOST_FIELDS = 64
_HEAD = re.compile(rb"POST (/[!-$&->@-~]*) HTTP/1\.1((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*)+)\r\n\r\n")
"""No query, nothing escaped in the address, no folded line, no space before a colon, only ASCII."""
_FIELD = re.compile(rb"\r\n([^:]+):[ \t]*([^\r]*)")
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"})
_KEPT = (b"connection", b"keep-alive")


@dataclass(frozen=True, slots=True)
class UnreadRequest:
    """A request by POST, whose body nobody looked at."""

    path: str
    headers: list[tuple[bytes, bytes]]
    """Names in lower case, as ASGI has them."""


def whole(data: bytes) -> UnreadRequest | None:
    """The request that *data* is, where it is one, all of it, and nothing else; None where only a parser can tell."""
    found = _HEAD.match(data)
    if found is None:
        return None
    fields = [(name.lower(), value.rstrip(b" \t")) for name, value in _FIELD.findall(found[2])]
    framing = [field for field in fields if field[0] in _FRAMING and (field[0], field[1].lower()) != _KEPT]
    if framing != [(b"content-length", b"%d" % (len(data) - found.end()))] or len(fields) > MOST_FIELDS:
        return None
    return UnreadRequest(found[1].decode("ascii"), fields)
