"""Looks at the second version beside the served one: a shadow, or the candidate of a split, held against its own holdout.

Its answers lie in the log apart, under the environment of shadows or a digest of their own. What is found of them is shown beside a look
and changes nothing of it: nobody is alarmed, retrained or held back by a version that is only tried.
"""

import datetime
from collections import Counter
from dataclasses import dataclass

from argosy.domain.looks import SecondLook, SecondRole
from argosy.domain.release import Version
from argosy.monitoring import served, watching
from argosy.monitoring.watching import Watched
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import PredictionHistory, shadows_of
from argosy.promotion import approval
from argosy.promotion.standing import Main


@dataclass(frozen=True)
class SecondLooks:
    """What a second version is found, counted and judged with."""

    forge: Forge
    artifacts: Artifacts
    history: PredictionHistory
    objects: Objects
    now: datetime.datetime

    def beside(
        self, watched: Watched, since: datetime.datetime, until: datetime.datetime, *, keep: bool = True
    ) -> SecondLook | None:
        """The look at the second version beside *watched*, from *since* to *until*; None where there is none. *keep*: its counts.

        Raises Rejected where other files are stored than its own, Misconfigured where it cannot be counted as *watched* is, UsageError
        where the log has a shadow that nothing names, TryAgain when a store fails.
        """
        found = self._named(watched, since, until)
        if found is None:
            return None
        role, version = found
        environment = shadows_of(watched.environment) if role == "shadow" else watched.environment
        second = served.of_version(
            version, environment, watched.monitor, artifacts=self.artifacts, objects=self.objects
        )
        look = watching.judge(
            second, history=self.history, objects=self.objects, since=since, until=until, now=self.now, keep=keep
        ).look
        return SecondLook(
            role=role,
            version=version.version,
            model_digest=version.model_digest,
            rows=look.rows,
            verdict=look.verdict,
            explanation=look.explanation,
            report=look.report,
            slices=look.slices,
        )

    def _named(
        self, watched: Watched, since: datetime.datetime, until: datetime.datetime
    ) -> tuple[SecondRole, Version] | None:
        """The second version that main names; where it names none, the shadow that a server by hand asked most in that time."""
        main, first = Main.now(self.forge), watched.version
        second = main.second(first.model, watched.environment)
        if second is not None and second.model_digest != first.model_digest:
            its = {
                "version": second.version,
                "model_digest": second.model_digest,
                "storage_uri": second.storage_uri,
                "online_store": None,
            }
            return second.role, first.model_copy(update=its)
        refs = self.history.segments(first.model, shadows_of(watched.environment), since=since, until=until)
        asked = Counter(ref.digest for ref in refs if ref.digest != first.model_digest)
        if not asked:
            return None
        digest, _ = max(asked.items(), key=lambda each: (each[1], each[0]))
        place = approval.named(
            main, first.model, lambda one: one.model_digest == digest, f"the shadow {digest[:19]} of the log"
        )
        return "shadow", place.version
