"""The logic of ``fetch-accepted``: whoever reads sources has no key of the model store, so what was accepted is handed to it."""

from pathlib import Path

from argosy.domain.data import EarlierRef
from argosy.domain.snapshot_layout import EARLIER, SNAPSHOT
from argosy.monitoring.accepted_snapshots import AcceptedSnapshots


def run(*, accepted: AcceptedSnapshots, output: Path) -> None:
    """Write the newest of *accepted* to the folder *output*; without it where there is none. Raises TryAgain where the store fails."""
    newest = accepted.newest()
    if newest is not None:
        accepted.fetch(newest[1], output / SNAPSHOT)
    EarlierRef(snapshot_digest=newest[0] if newest else None).write(output / EARLIER)
