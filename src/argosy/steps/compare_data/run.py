"""The logic of ``compare-data``: what changed since the snapshot before, and since the champion's; accepted unless that is critical.

The documents are written first, so that whoever has to act finds them. A snapshot that is refused is kept nowhere, so that the next one is
held against the last that was accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import change_limits
from argosy.domain.change_limits import PreviousLimits
from argosy.domain.data import ExpectationResult, SnapshotManifest, ValidationResult
from argosy.domain.data_comparison import DataComparison, SinceChampion
from argosy.domain.data_diff import DataChange
from argosy.domain.evidence import ChampionRef
from argosy.domain.model_settings import ModelSettings
from argosy.domain.snapshot_layout import MANIFEST
from argosy.monitoring import data_changes
from argosy.monitoring.accepted_snapshots import AcceptedSnapshots
from argosy.ports.table_comparison import TableComparison
from argosy.report import change_page, change_tables

MOST_FAILURES = 10


@dataclass(frozen=True)
class CompareOutputs:
    """The folder of the comparison, and the document about the champion's data."""

    comparison: Path
    since_champion: Path


def run(
    *,
    settings: ModelSettings,
    limits: PreviousLimits,
    champion: ChampionRef,
    snapshot: Path,
    validation: ValidationResult,
    accepted: AcceptedSnapshots,
    comparison: TableComparison,
    place: Path,
    outputs: CompareOutputs,
) -> None:
    """Compare *snapshot* with the one accepted before and the *champion*'s, write the outputs, and keep it. *place*: an empty folder.

    Raises Rejected where a change is critical, Misconfigured where the *validation* is of another snapshot.
    """
    manifest = SnapshotManifest.read(snapshot / MANIFEST)
    digest = manifest.content_digest()
    if validation.snapshot_digest != digest:
        raise errors.Misconfigured(
            f"the validation is of {validation.snapshot_digest}, this is {digest}: not one run's outputs"
        )
    if manifest.as_of is not None:
        # The next run's data come after today's, not after these.
        SinceChampion(champion_snapshot=champion.snapshot_digest).write(outputs.since_champion)
        _write(DataComparison(snapshot_digest=digest, as_of=manifest.as_of), outputs.comparison)
        return
    with_it = _With(settings, snapshot, digest, accepted, comparison, place)
    since_champion = with_it.champion(champion.snapshot_digest)
    since_champion.write(outputs.since_champion)
    found = _judged(with_it, limits, since_champion, settings)
    _write(found, outputs.comparison)
    if failures := found.critical_failures:
        raise errors.Rejected(_message(failures))
    accepted.accept(snapshot, digest)


class _With:
    """A snapshot that is held against others."""

    def __init__(
        self,
        settings: ModelSettings,
        snapshot: Path,
        digest: str,
        accepted: AcceptedSnapshots,
        comparison: TableComparison,
        place: Path,
    ) -> None:
        self._contracts = {source.name: source for source in settings.sources}
        self._snapshot = snapshot
        self.digest = digest
        self._accepted = accepted
        self._comparison = comparison
        self._place = place
        self._known: dict[str, DataChange] = {}

    def champion(self, digest: str | None) -> SinceChampion:
        """What changed since the champion's data."""
        if digest is None or digest == self.digest:
            return SinceChampion(champion_snapshot=digest)
        return SinceChampion(
            champion_snapshot=digest, change=self._since(digest, f"the champion's data ({_short(digest)})")
        )

    def before(self) -> tuple[str | None, DataChange | None]:
        """The digest of the snapshot accepted last, and what changed since; None where there is none, or it is this one."""
        newest = self._accepted.newest()
        if newest is None or newest[0] == self.digest:
            return (newest[0] if newest else None), None
        return newest[0], self._since(newest[0], f"the snapshot before ({_short(newest[0])})")

    def _since(self, digest: str, called: str) -> DataChange | None:
        """What changed since the snapshot *digest*; None where it was not kept."""
        if digest not in self._known:
            stored = self._accepted.find(digest)
            if stored is None:
                return None
            other = self._accepted.fetch(stored, self._place / _short(digest))
            sides = (called, other), (f"this data ({_short(self.digest)})", self._snapshot)
            self._known[digest] = data_changes.between(*sides, self._contracts, self._comparison)
        return self._known[digest].model_copy(update={"before": called})


def _judged(
    with_it: _With, limits: PreviousLimits, since_champion: SinceChampion, settings: ModelSettings
) -> DataComparison:
    previous, since_previous = with_it.before()
    of_champion = since_champion.change if limits.champion and previous != since_champion.champion_snapshot else None
    owner = change_limits.owners(
        settings.owner, {(source.name, each.name): each.owner for source in settings.sources for each in source.columns}
    )
    changes = [change for change in (since_previous, of_champion) if change is not None]
    return DataComparison(
        snapshot_digest=with_it.digest,
        previous_digest=previous,
        changes=changes,
        results=[result for change in changes for result in change_limits.judged(change, limits, owner)],
    )


def _write(found: DataComparison, folder: Path) -> None:
    found.write(folder / "comparison.json")
    if not found.changes:
        said = f"{found.why_nothing}\n"
        (folder / "comparison.md").write_text(f"## What changed in the data\n\n{said}", encoding="utf-8")
        return
    text = "\n".join(change_tables.markdown(change) for change in found.changes)
    (folder / "comparison.md").write_text(text, encoding="utf-8")
    (folder / "report.html").write_text(change_page.render(found.changes[0]), encoding="utf-8")


def _message(failures: Sequence[ExpectationResult]) -> str:
    said = [
        f"source {each.source!r}: {each.expectation}{f' of column {each.column!r}' if each.column else ''} does not hold "
        f"({each.observed}): {each.explanation}"
        for each in failures[:MOST_FAILURES]
    ]
    if len(failures) > MOST_FAILURES:
        said.append(f"{len(failures) - MOST_FAILURES} more critical changes are in comparison.json")
    return errors.listed(
        [
            *said,
            "if the data is right, raise the limit in `previous` of expectations.json, with a reason, and run again",
        ]
    )


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
