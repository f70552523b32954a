"""Error answers to a request: the HTTP status, the message, and the field it is about. Any other failure is the server's own (500)."""

import difflib
from collections.abc import Iterable, Sequence

LONGEST_NAME = 200


class RequestProblem(Exception):
    """A request that cannot be answered, through the caller's doing (4xx) or because the server cannot right now (503)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        retry_after: int | None = None,
        closes: bool = False,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """*retry_after*: seconds after which it is worth another try. *closes*: the body is not read to its end, so the connection ends.
        *headers*: more of the answer's, for HTTP."""
        super().__init__(message)
        self.status = status
        self.field = field
        self.retry_after = retry_after
        self.closes = closes
        self.headers = headers

    @property
    def body(self) -> dict[str, str]:
        """The answer as JSON: ``error``, and ``field`` where one is to blame."""
        return {"error": str(self)} | ({"field": self.field} if self.field is not None else {})


class ShedRequest(RequestProblem):
    """A request that is refused because more come than there is time or room for: no fault of the version, and counted apart."""

    def __init__(self, message: str, *, closes: bool = False) -> None:
        super().__init__(503, message, retry_after=1, closes=closes)


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where *word* is nearly one of the *known*, else nothing."""
    if len(word) > LONGEST_NAME:
        return ""  # comparing takes as long as the word is
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def shown(text: str, limit: int = 60) -> str:
    """*text* quoted and cut for a message: callers type anything."""
    return repr(text if len(text) <= limit else text[:limit] + "\N{HORIZONTAL ELLIPSIS}")
