"""The surroundings of a run on one machine, beside its data: interpreter, libraries, machine, our own code.

They are kept with the run, and asked when another run comes out otherwise.
"""

from collections.abc import Iterator, Mapping

from argosy.domain.documents import Document

FILE = "surroundings.json"


class Surroundings(Document):
    """What a run's steps found round them."""

    python: str
    system: str
    """Kernel and architecture, such as ``Linux 6.8.0 x86_64``."""
    processor: str
    cores: int
    own_code: str
    """Digest of the modules of this package that steps can import."""
    packages: Mapping[str, str]
    """Name to version, of everything installed."""


def code_changes(then: Surroundings, now: Surroundings) -> list[str]:
    """How our own code is otherwise; empty where it is not."""
    if then.own_code == now.own_code:
        return []
    return [f"argosy's own code {_short(then.own_code)} -> {_short(now.own_code)}"]


def library_changes(then: Surroundings, now: Surroundings) -> list[str]:
    """Each library, the interpreter included, that has another version, came or went."""
    return list(of_versions({"python": then.python, **then.packages}, {"python": now.python, **now.packages}))


def of_versions(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Each name whose version is another."""
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield f"{name} {then.get(name, 'not installed')} -> {now.get(name, 'not installed')}"


def machine_changes(then: Surroundings, now: Surroundings) -> list[str]:
    """How the machine is otherwise."""
    pairs = {
        "system": (then.system, now.system),
        "processor": (then.processor, now.processor),
        "cores": (str(then.cores), str(now.cores)),
    }
    return [f"{name} {before} -> {after}" for name, (before, after) in pairs.items() if before != after]


def _short(digest: str) -> str:
    return digest.rpartition(":")[2][:12]
