"""How a pipeline stands: when it last started and succeeded, and how its newest run ended.

Finished runs are removed sooner or later, by Argo's own rules; what they said of their pipeline is kept here.
"""

from argosy.domain.documents import Document


class PipelineStanding(Document):
    """One pipeline. Times are seconds since 1970; None: never seen."""

    pipeline: str
    model: str
    started: float | None = None
    succeeded: float | None = None
    """The end of the last run that did."""
    ended: float | None = None
    """The end of the newest run that is over."""
    failed: bool = False
    """Whether that one failed."""

    def after(self, earlier: "PipelineStanding | None") -> "PipelineStanding":
        """Both what this says and what was known *earlier*, the newer of each."""
        if earlier is None:
            return self
        newest = self if (self.ended or 0) >= (earlier.ended or 0) else earlier
        return PipelineStanding(
            pipeline=self.pipeline,
            model=self.model,
            started=_later(self.started, earlier.started),
            succeeded=_later(self.succeeded, earlier.succeeded),
            ended=newest.ended,
            failed=newest.failed,
        )


class PipelineStandings(Document):
    """All of them, as they are kept."""

    pipelines: list[PipelineStanding] = []


def _later(one: float | None, other: float | None) -> float | None:
    return max((each for each in (one, other) if each is not None), default=None)
