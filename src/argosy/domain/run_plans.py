"""The plan of a run as one document: what `argosy plan --json` prints. It is found without a network, and nothing is written for it."""

from typing import Literal

from argosy.domain.documents import Document


class PlanStep(Document):
    """One step, or one item of a loop."""

    name: str
    """As the run will have it, with ``$`` for the workflow's own name."""
    task: str
    """The task of the pipeline that it belongs to."""
    answer: Literal["cached", "runs", "open"]
    """``open``: from the cache if the tasks it waits for give what they gave before."""
    reasons: list[str] = []
    """Why it is not cached."""
    waits_for: list[str] = []
    """The tasks whose outputs decide, of one that is open."""
    seconds: float | None = None
    """The median of earlier runs, where it runs or may."""


class PlanRequest(Document):
    """What the run would ask of the environment repo."""

    files: list[str]
    """The paths that its request would change."""
    before: dict[str, str] | None = None
    """The version file's main entries on main; none where the environment serves nothing, or where main is on a server."""
    after: dict[str, str] | None = None
    """The same as the request would have them; none where a step that runs decides it."""
    note: str
    """What that comes to, in a sentence."""


class RunPlan(Document):
    """The plan of one run."""

    model: str
    fresh: bool
    """True where the manifest on disk is of what the model's folder has now."""
    manifest_diff: str
    """The manifest that would run against the committed one, as a unified diff; empty where they are equal."""
    steps: list[PlanStep]
    runs_looked_at: int
    seconds: float | None = None
    """The medians of what runs or may, added up; none where no run tells."""
    hours: dict[str, float] = {}
    """What that asks for: hours of a core, a GiB, a GPU."""
    price: float | None = None
    """Of those hours, by ARGOSY_PRICES or --price."""
    request: PlanRequest
