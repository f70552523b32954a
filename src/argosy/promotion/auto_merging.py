"""Merges the requests that merge by themselves: by the rules that main has for their environment, as the desk merges for people.

What is merged is the commit that was checked, onto the main that it was checked against. Only where the forge's own rules still wait for
something else is the merge left to the forge, and taken back where the request does not qualify any more.
"""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from argosy import errors
from argosy.domain import auto_merge, environment_layout
from argosy.domain.auto_merge import MergeRules
from argosy.domain.promotion_requests import Request
from argosy.promotion.desk import Desk
from argosy.promotion.standing import Main

Outcome = Literal["merged", "left to the forge", "waits", "failed"]
BY = "argosy"


@dataclass(frozen=True)
class MergeAttempt:
    """What became of a request that might merge by itself."""

    request: Request
    outcome: Outcome
    why: tuple[str, ...] = ()
    code: int = errors.DONE
    """Of what failed: the exit code."""


@dataclass(frozen=True)
class AutoMerging:
    """One look at all open requests, over the *desk*. *read*: the rules in a text, with the path of its file, where they can be read."""

    desk: Desk
    read: Callable[[bytes, str], MergeRules]
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    dry: bool = False
    """Say what would be done, and do nothing."""
    _rules: dict[str, MergeRules | None] = field(default_factory=dict)

    def look(self) -> Iterator[MergeAttempt]:
        """Every open request of an environment that has rules, with what became of it; what one comes to keeps no other from its turn."""
        for request in self.desk.requests():
            try:
                rules = self._of(request.subject.environment)
                if rules is not None:
                    yield self._attempt(request, rules)
            except errors.ArgosyError as error:
                yield MergeAttempt(request, "failed", (str(error),), error.exit_code)

    def _of(self, environment: str) -> MergeRules | None:
        """The rules that main has for *environment*; None where it has none."""
        if environment not in self._rules:
            file = Main.now(self.desk.forge).merging(environment)
            self._rules[environment] = None if file is None else self.read(file.content, file.path)
        return self._rules[environment]

    def _attempt(self, listed: Request, rules: MergeRules) -> MergeAttempt:
        if why := tuple(auto_merge.before_looking(rules, listed, self.now())):
            return self._waits(listed, why)
        request = self.desk.forge.request(listed.number)
        if why := tuple(auto_merge.of_reviews(rules, self.desk.forge.approval(request))):
            return self._waits(request, why)
        checked = self.desk.check(request.number, head=request.head)
        if why := (*auto_merge.of_checks(checked.checks), *auto_merge.of_overrides(checked.checks)):
            return self._waits(request, why)
        return MergeAttempt(request, "merged") if self.dry else self._merged(request, rules)

    def _waits(self, request: Request, why: tuple[str, ...]) -> MergeAttempt:
        if not self.dry:
            self.desk.forge.merge_no_later(request)
        return MergeAttempt(request, "waits", why)

    def _merged(self, request: Request, rules: MergeRules) -> MergeAttempt:
        path = environment_layout.merging_path(request.subject.environment)
        note = f"Auto-merge: {path}, reviews {rules.reviews}\n"
        try:
            ended = self.desk.merge(request.number, by=BY, head=request.head, note=note)
            return MergeAttempt(ended.request, "merged")
        except errors.Rejected as refused:
            why_not = self.desk.forge.merge_later(request, by=BY, note=note)
            if why_not is None:
                return MergeAttempt(request, "left to the forge", (str(refused),))
            return MergeAttempt(request, "waits", (str(refused), why_not))
