"""Parts that other packages bring: named in their entry points, found where they are installed, loaded when they are asked for.

A group is an interface of ours; a package that has an entry point in it is trusted as any package is that is installed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy import errors

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

DRIFT_MEASURES, FORGES, JUDGES = "argosy.drift_measures", "argosy.forges", "argosy.judges"
MEASURES, NOTIFIERS, ONLINE_STORES = "argosy.measures", "argosy.notifiers", "argosy.online_stores"
SOURCES, TRAINERS = "argosy.sources", "argosy.trainers"
BUILT_IN = {
    FORGES: frozenset({"gitea", "github", "local"}),
    ONLINE_STORES: frozenset({"postgres", "postgresql", "redis", "rediss"}),
    SOURCES: frozenset({"duckdb", "mariadb", "mssql", "mysql", "oracle", "postgres", "postgresql", "sqlite"}),
    TRAINERS: frozenset({"xgboost"}),
}
"""Names that are Argosy's own, by group: a part of another package that has one would never be asked, or be asked in its place.

Of the other groups, what Argosy has itself is not chosen by a name; a notifier's name comes before what Apprise knows by it."""
GROUPS = (DRIFT_MEASURES, FORGES, JUDGES, MEASURES, NOTIFIERS, ONLINE_STORES, SOURCES, TRAINERS)


@dataclass(frozen=True)
class Plugin:
    """One part that a package brings."""

    group: str
    name: str
    package: str
    version: str
    point: "EntryPoint"

    def load(self) -> Any:
        """What the entry point names. Raises Misconfigured where it cannot be had."""
        try:
            return self.point.load()
        except (
            Exception,
            SystemExit,
        ) as error:  # a package of others may fail in any way; which one it was has to be said
            raise errors.Misconfigured(
                f"{self}, cannot be loaded: {type(error).__name__}: {error}; mend or remove that package"
            ) from error

    def made(self, given: Any, *verbs: str) -> Any:
        """What the entry point's class makes of *given*, of nothing where it is None.

        Raises Misconfigured where it makes nothing, or nothing that has the *verbs*.
        """
        try:
            kind = self.load()
            made = kind() if given is None else kind(given)
        except errors.ArgosyError:
            raise
        except (Exception, SystemExit) as error:
            raise errors.Misconfigured(
                f"{self}, cannot be made: {type(error).__name__}: {error}; mend or remove that package"
            ) from error
        if lacking := [verb for verb in verbs if not callable(getattr(made, verb, None))]:
            absent = " and no ".join(f"`{verb}`" for verb in lacking)
            raise errors.Misconfigured(
                f"{self}, has no {absent}, which {self.group} asks of it; mend or remove that package"
            )
        return made

    def __str__(self) -> str:
        """As the beginning of a sentence about it, up to its comma."""
        return f"{self.name} of {self.group}, which {self.package} {self.version} brings"


def verbs(port: type) -> list[str]:
    """The methods that the Protocol *port* asks for."""
    return [name for name, value in vars(port).items() if callable(value) and not name.startswith("_")]


def installed(group: str) -> dict[str, Plugin]:
    """The parts of *group* by name. Raises Misconfigured where two packages bring one name, or one brings a name of Argosy's own."""
    from importlib import metadata  # not before: it takes its time, and who looks for a part is rare

    found: dict[str, Plugin] = {}
    for point in metadata.entry_points(group=group):
        package, version = (point.dist.name, point.dist.version) if point.dist else ("a package", "unknown")
        plugin = Plugin(group, point.name, package, version, point)
        if point.name in BUILT_IN.get(group, ()):
            raise errors.Misconfigured(
                f"{plugin}, has a name that is argosy's own; have the package call it otherwise, or remove it"
            )
        other = found.setdefault(point.name, plugin)
        if other.package != package:
            raise errors.Misconfigured(
                f"{other.package} and {package} both bring {point.name!r} of {group}; remove one of the two"
            )
    return dict(sorted(found.items()))
