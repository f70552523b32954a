"""A forge for argosy that lives outside of it: a bare git repository, ``diary:/srv/environment.git``, with a diary of decisions beside it.

The requests and their rules are those of argosy's own local forge, which this one is made of. Each decision of a person is a line of
JSON in ``/srv/environment.diary.jsonl``, for whoever audits: git says what became of main, and nothing of a request that was closed.
"""

import datetime
import json
from pathlib import Path

from argosy import errors
from argosy.adapters.local_forge.forge import LocalForge
from argosy.domain.promotion_requests import Request, State
from argosy.ports.forge import ForgePlace


class DiaryForge(LocalForge):
    """The environment repo at *place*, which has to be there; see ``argosy.ports.forge.Forge``."""

    keys = ()
    """Files of this machine need none."""

    def __init__(self, place: ForgePlace) -> None:
        path = Path(place.address.partition(":")[2])
        if not (path / "HEAD").is_file():
            raise errors.Misconfigured(
                f"{place.address} names no bare git repository; `git clone --bare` the environment repo there"
            )
        super().__init__(path, {})
        self._diary = path.with_suffix(".diary.jsonl")

    def merge(self, number: int, *, head: str, by: str, at: str, note: str = "") -> Request:
        """See the port."""
        before = self.request(number).state
        return self._told("merged", before, super().merge(number, head=head, by=by, at=at, note=note), by, note)

    def close(self, number: int, *, by: str, reason: str) -> Request:
        """See the port."""
        before = self.request(number).state
        return self._told("closed", before, super().close(number, by=by, reason=reason), by, reason)

    def reopen(self, number: int, *, by: str) -> Request:
        """See the port."""
        before = self.request(number).state
        return self._told("opened again", before, super().reopen(number, by=by), by, "")

    def _told(self, what: str, before: State, after: Request, by: str, why: str) -> Request:
        """*after*, once it is in the diary; what changed nothing, such as a second try, is not written twice."""
        if after.state is not before:
            told = {
                "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "request": after.number,
                "what": what,
                "by": by,
                "why": why,
                "commit": after.head,
            }
            try:
                with self._diary.open("a", encoding="utf-8") as diary:
                    diary.write(json.dumps(told) + "\n")
            except OSError as error:
                raise errors.LocalDisk(
                    f"request {after.number} is {what}, and {self._diary} cannot say so: {error}"
                ) from error
        return after
