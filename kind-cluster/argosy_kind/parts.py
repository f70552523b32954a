"""The table of parts: what is installed, in which order, what each stands on, and how long it may take."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy_kind import controllers, delivery, forge, pipelines, services, site, ways
from argosy_kind.site import Site


@dataclass(frozen=True)
class Part:
    """One part."""

    name: str
    what: str
    install: Callable[[Site, str, float], None]
    """Puts it there, or brings what is there up to date, and waits until it answers."""
    needs: Sequence[str] = ()
    """Parts that have to be there before."""
    seconds: float = 300
    """After which it is given up."""


def _gitea(at: Site, name: str, seconds: float) -> None:
    services.install(at, name, seconds)
    forge.prepare(at)


PARTS: Sequence[Part] = (
    Part("argo-workflows", "runs pipelines", controllers.install),
    Part("argo-rollouts", "moves requests to a new version step by step", controllers.install),
    Part("argo-events", "starts a retraining where an alert asks for one", controllers.install),
    Part("argo-cd", "brings main of the environment repo to the cluster", controllers.install, seconds=600),
    Part("cert-manager", "certificates for KServe's webhooks", controllers.install),
    Part("kserve", "turns a model into pods that answer", controllers.install, needs=("cert-manager",), seconds=600),
    Part("postgresql", "trials, ledgers, MLflow's registry", services.install),
    Part("objects", "buckets", services.install),
    Part("mlflow", "runs, versions, aliases", services.install, needs=("postgresql", "objects")),
    Part("gitea", "the forge, with a page to merge on", _gitea),
    Part("prometheus", "measures and judges the rules", services.install),
    Part("alertmanager", "says who hears of an alert", services.install),
    Part("grafana", "dashboards", services.install, needs=("prometheus",)),
    Part(
        "platform",
        "accounts, rights and addresses for pipelines",
        pipelines.install,
        needs=("argo-workflows", "argo-events", "mlflow", "gitea"),
    ),
    Part(
        "delivery",
        "the environment repo, and Argo CD following it",
        delivery.install,
        needs=("argo-cd", "argo-rollouts", "kserve", "gitea", "prometheus", "platform"),
    ),
    Part("check", "argosy doctor", ways.check, needs=("platform", "delivery")),
)


def install_all(at: Site, chosen: Iterable[Part]) -> None:
    """Install the *chosen* parts in order, each with a line in the ledger."""
    for part in chosen:
        with at.ledger.part(part.name, part.what) as entry:
            if part.name in controllers.CONTROLLERS and (there := controllers.found(at, part.name)):
                entry.outcome = there
                continue
            try:
                part.install(at, part.name, part.seconds)
            except errors.ArgosyError as error:
                again = f"make kind-install ARGUMENTS='--from {part.name}'"
                raise type(error)(f"{part.name}: {error}; once that is mended, go on with: {again}") from error


def before(first: str) -> list[str]:
    """The names of the parts before *first*."""
    names = [part.name for part in PARTS]
    return names[: names.index(first)]


def chosen(*, first: str = "", only: Sequence[str] = (), without: Sequence[str] = ()) -> list[Part]:
    """The parts from *first* on, or *only* those, *without* some.

    Raises UsageError for a name that nothing has, and where a part is left out whose address another one is given.
    """
    names = [part.name for part in PARTS]
    site.known([*([first] if first else []), *only, *without], names, "part")
    begun = PARTS[names.index(first) :] if first else PARTS
    found = [part for part in begun if (not only or part.name in only) and part.name not in without]
    for part in found:
        if needed := [name for name in part.needs if name in without and name not in controllers.CONTROLLERS]:
            raise errors.UsageError(
                f"{part.name} is told where our {needed[0]} is, which is left out; leave {part.name} out too, and install it "
                "with addresses of your own (docs/install.md)"
            )
    return found
