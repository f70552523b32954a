"""Who signed what is served, what waits to be, and what would be gone back to: asked before a key stops to count.

Left to others: which keys count, and whether a signature holds (``seals``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from argosy.domain import environment_layout, environment_repo, signing_keys
from argosy.domain.promotion_requests import State
from argosy.promotion import subjects
from argosy.promotion.standing import Main


@dataclass(frozen=True)
class KeyUse:
    """A place whose bundle or evidence is signed, and the hints of the keys that did."""

    what: str
    """For people: ``fares in production, version 3``."""
    signers: frozenset[str]


def served(main: Main) -> list[KeyUse]:
    """What the environments serve."""
    files = main.served_files()
    return [
        KeyUse(_called(main, model, environment), signers(files, model, environment))
        for model, environment in environment_repo.places(files)
    ]


def of(main: Main, places: Sequence[tuple[str, str]]) -> list[KeyUse]:
    """What is served at *places*, models and environments, of which nothing but the signatures is read."""
    folders = [environment_layout.evidence_folder(model, environment) for model, environment in places]
    paths = [f"{folder}/{name}" for folder in folders for name in sorted(environment_layout.SIGNATURES)]
    files = main.forge.contents(paths, main.commit)
    return [
        KeyUse(_called(main, model, environment), signers(files, model, environment)) for model, environment in places
    ]


def waiting(main: Main) -> Iterator[KeyUse]:
    """What open requests propose to serve, by their commits; one that retires a model is merged whoever signed what goes."""
    for request in main.forge.requests():
        if request.state is State.OPEN:
            for model, environment in subjects.brings(main, request):
                files = main.forge.contents([environment_layout.evidence_folder(model, environment)], request.head)
                yield KeyUse(f"request #{request.number}, {request.title}", signers(files, model, environment))


def before(main: Main) -> Iterator[KeyUse]:
    """What each environment would go back to, by reverting the promotion of what it serves."""
    for model, environment in environment_repo.places(main.served_files()):
        live = main.version(model, environment)
        found = main.served_before(live, environment) if live else None
        if found:
            yield KeyUse(
                f"{model} in {environment}, version {found.version.version}", signers(found.files, model, environment)
            )


def by(hint: str, uses: Sequence[KeyUse]) -> list[str]:
    """Those of *uses* that the key named *hint* signed, for people."""
    return [use.what for use in uses if hint in use.signers]


def _called(main: Main, model: str, environment: str) -> str:
    version = main.version(model, environment)
    return f"{model} in {environment}, version {version.version}" if version else f"{model} in {environment}"


def signers(files: Mapping[str, bytes], model: str, environment: str) -> frozenset[str]:
    """The hints of the keys that signed, among *files*, bundle and evidence of *model* in *environment*."""
    place = environment_layout.evidence_folder(model, environment)
    found = (signing_keys.signer(files.get(f"{place}/{name}", b"")) for name in environment_layout.SIGNATURES)
    return frozenset(hint for hint in found if hint)
