"""What a server is told of a second version beside the one it is for: which one, in what role, and for how much of the requests."""

from dataclasses import dataclass

from argosy.serving.arm import Arm
from argosy.serving.assignment import Assignment
from argosy.serving.prometheus import Metrics
from argosy.serving.second_series import Role, SecondSeries
from argosy.serving.shadow import Shadow
from argosy.serving.split import CandidateArm

SHADOW: Role = "shadow"
CANDIDATE: Role = "candidate"


@dataclass(frozen=True)
class SecondVersion:
    """A second version, loaded and proven."""

    arm: Arm
    role: Role
    share: float
    """Of the requests that a shadow is asked too; of the entities that a candidate answers. From 0 to 1."""

    def shadow(self, metrics: Metrics) -> Shadow | None:
        """It as a shadow that is counted beside *metrics*; None where it is none."""
        return Shadow(self.arm, self.share, self._series(metrics)) if self.role == SHADOW else None

    def candidate(self, metrics: Metrics) -> CandidateArm | None:
        """It as a candidate that is counted beside *metrics*; None where it is none."""
        if self.role != CANDIDATE:
            return None
        return CandidateArm(self.arm, Assignment(self.share, self.arm.served.digest), self._series(metrics))

    def says(self) -> str:
        """What it does, in words."""
        share = f"{self.share:.4%}".rstrip("0%").rstrip(".") + " %"
        if self.role == SHADOW:
            return f"version {self.arm.version} is asked {share} of it too, as a shadow"
        return f"version {self.arm.version} answers {share} of the entities"

    def _series(self, metrics: Metrics) -> SecondSeries:
        series = SecondSeries(self.role, self.arm.served, metrics.score_edges, self.arm.log)
        metrics.register(series)
        return series
