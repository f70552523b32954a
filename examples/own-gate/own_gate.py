"""Parts for argosy that live outside of it: a measurement for a gate, and a notifier."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from argosy.domain.notices import Notice
from argosy.ports.measures import JudgedRows
from argosy.ports.notifier import Delivery

NEAR = 0.05
"""How near to the threshold a probability says little."""


def doubt(judged: JudgedRows) -> Mapping[str, float | None]:
    """The share of the rows whose probability is near the threshold; undefined where there are not two classes."""
    if judged.threshold is None or len(judged.labels) == 0:
        return {"near_threshold": None}
    return {"near_threshold": float(np.mean(np.abs(judged.predictions - judged.threshold) < NEAR))}


class FileNotifier:
    """Channels whose address is ``file:/a/path``: a line a notice is written there."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._files = {channel: Path(address.removeprefix("file:")) for channel, address in addresses.items()}

    def knows(self, channel: str) -> bool:
        """See the port."""
        return channel in self._files

    def send(self, channel: str, notices: Sequence[Notice]) -> Delivery:
        """See the port."""
        lines = [" ".join(filter(None, (each.title, each.text, each.link))).replace("\n", " ") for each in notices]
        try:
            with self._files[channel].open("a", encoding="utf-8") as file:
                file.write("; ".join(lines) + "\n")
        except OSError as error:
            return Delivery("refused", f"the file cannot be written: {error.strerror}")
        return Delivery("sent")
