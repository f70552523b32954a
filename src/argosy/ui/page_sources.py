"""What the pages of ``argosy ui`` are made of: ports, and what the command line knows how to put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.domain.rollouts import Rollout
from argosy.domain.traces import AnsweredRow, Trace
from argosy.ports.forge import Forge
from argosy.ports.objects import Objects
from argosy.ports.runs import Run, Runs
from argosy.promotion.desk import Desk
from argosy.promotion.tracing import Tracer
from argosy.ui.bill import Bill
from argosy.ui.compared_runs import ComparedRuns


@dataclass(frozen=True)
class PageSources:
    """What the pages are made of; each is asked anew for each page."""

    runs: Runs
    where: str
    """Whose runs they are, in words."""
    forge: Callable[[], Forge]
    desk: Callable[[], Desk]
    looks: Callable[[], Objects]
    report: Callable[[str], Path | None]
    """The report of a run; None where it has none yet."""
    tracer: Callable[[], Tracer]
    trace: Callable[[str], tuple[Sequence[AnsweredRow], Trace]]
    """The way back from what a person has in the hand. Raises UsageError for what is none of it."""
    bill: Callable[[], Bill]
    graph: Callable[[Run], str]
    """The tasks of a run and what each waits for, as an SVG; empty where it never began."""
    compare: Callable[[str, str | None], ComparedRuns] | None = None
    """A run beside another of its model, by default the one before; None where documents of runs are not to be had."""
    has_before: Callable[[str], bool] = lambda _: False
    """True where a run has one before it of its model, so that ``compare`` has something to hold it against."""
    canaries: Callable[[str], Sequence[Rollout]] | None = None
    """The rollouts of an environment; None where no cluster is looked at."""
    load: Callable[[], None] = lambda: None
    """Loads libraries that single pages need, so that whoever asks for one first does not wait for them."""
