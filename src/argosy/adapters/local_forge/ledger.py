"""The requests of a local forge: a ref whose tree has one folder a request, and whose history is all that ever happened to them.

One ref, so that opening a request and closing the one it supersedes is a single move. Whether a request is merged is not written here
first: main says so, and the ledger follows.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from argosy import errors
from argosy.domain import promotion_requests
from argosy.domain.promotion_requests import Request, State
from argosy.files.git_repository import NOTHING, Person, Repository

REF = "refs/argosy/requests/ledger"


def now() -> str:
    """The time, as requests record it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Ledger:
    """The requests as of one commit of the ref."""

    repository: Repository
    commit: str
    requests: tuple[Request, ...]

    @property
    def next_number(self) -> int:
        """The number of the next request."""
        return max((request.number for request in self.requests), default=0) + 1

    def find(self, number: int) -> Request | None:
        """The request *number*."""
        return next((request for request in self.requests if request.number == number), None)

    def rivals(self, request: Request) -> list[Request]:
        """The others that are open for the same model and environment."""
        return [
            one
            for one in self.requests
            if one.state is State.OPEN and one.number != request.number and promotion_requests.same_place(one, request)
        ]

    def body(self, number: int) -> str:
        """The body of the request *number*."""
        return self.repository.files(self.commit, f"{number}/body.md")[f"{number}/body.md"].decode()

    def record(self, changed: Iterable[Request], message: str, by: Person) -> bool:
        """Write the requests *changed*; False where the ledger has moved since it was read."""
        files: dict[str, bytes | None] = {}
        heads = []
        for request in changed:
            files[f"{request.number}/request.json"] = request.model_copy(update={"body": ""}).canonical_json().encode()
            if self.find(request.number) is None:
                files[f"{request.number}/body.md"] = request.body.encode()
                heads.append(request.head)  # as a parent, so that the commit proposed is never garbage
        base = None if self.commit == NOTHING else self.commit
        return self.repository.move(REF, self.repository.commit(base, files, message, by, also=heads), self.commit)


def read(repository: Repository, main: str) -> Ledger:
    """The ledger as it is; what *main* holds by now counts as merged, whether or not that was recorded."""
    commit = repository.resolve(REF)
    if commit is None:
        return Ledger(repository, NOTHING, ())
    listing = {path: blob for path, blob in repository.listing(commit).items() if path.endswith("/request.json")}
    contents = zip(listing, repository.contents(list(listing.values())), strict=True)
    written = [_request(repository, path, content) for path, content in contents]
    requests = _settled(repository, main, written)
    return Ledger(repository, commit, tuple(sorted(requests, key=lambda request: request.number)))


def _request(repository: Repository, path: str, content: bytes) -> Request:
    try:
        return Request.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        git = f"git --git-dir={repository.path}"
        raise errors.Misconfigured(
            f"{repository.path}: {path} of {REF}, the record of requests, cannot be read: {field}: {first['msg']}. `{git} reflog {REF}` "
            f"lists its earlier states, `{git} update-ref {REF} COMMIT` brings one back"
        ) from None


def _settled(repository: Repository, main: str, written: list[Request]) -> list[Request]:
    """*written*, with those merged that main holds: whoever merged may have died before it was written, or may be a person with git."""
    heads = [request.head for request in written if request.state is not State.MERGED]
    outside = repository.outside(heads, main)
    return [
        _merged(repository, main, request)
        if request.state is not State.MERGED and request.head not in outside
        else request
        for request in written
    ]


def _merged(repository: Repository, main: str, request: Request) -> Request:
    _, by, at = merge_of(repository, request, main)
    update = {"state": State.MERGED, "ended_by": by, "ended_at": at, "reason": None, "superseded_by": None}
    return request.model_copy(update=update)


def merge_of(repository: Repository, request: Request, main: str) -> tuple[str, str, str]:
    """The commit of *main* that brought *request* in, who made it, and when."""
    history = repository.git(
        "log", "--first-parent", "--reverse", "--ancestry-path", "--format=%H%x00%cn%x00%cI", f"{request.head}..{main}"
    )
    first = history.decode().partition("\n")[0]
    if not first:  # fast-forwarded: the commit itself is the one
        first = repository.git("log", "-1", "--format=%H%x00%cn%x00%cI", request.head).decode().strip()
    commit, by, at = first.split("\0")
    return commit, by, at
