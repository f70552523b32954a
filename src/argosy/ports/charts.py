"""The port to what installs charts in a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class HelmRelease:
    """A chart as it is installed."""

    name: str
    namespace: str
    revision: int
    chart_version: str
    status: str
    notes: str = ""


class Charts(Protocol):
    """Charts and their releases. Every method raises TryAgain where the cluster cannot be reached, Misconfigured where it refuses."""

    def installed(self, name: str, namespace: str) -> HelmRelease | None:
        """The release *name*, or None where there is none."""

    def manifests(self, release: HelmRelease) -> Sequence[Manifest]:
        """The manifests of *release*, as they were applied."""

    def rendered(self, chart: Path, name: str, namespace: str, values: Manifest) -> Sequence[Manifest]:
        """The manifests that installing *chart* with *values* would apply. Raises Misconfigured where the chart refuses a value."""

    def apply(self, chart: Path, name: str, namespace: str, values: Manifest) -> HelmRelease:
        """Install *chart* as *name*, or upgrade it; wholly or, after a failure, not at all. Makes the namespace where there is none."""
