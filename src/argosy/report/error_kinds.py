"""What a failure is called, and what its page says: a kind (which tells a retry strategy what to do) and the part of Argosy it comes from.

``misconfigured/engine`` is one code. A failure's own message says what is wrong, where, and what to do; the page of its code says what
failures like it have in common, and where to look further. ``argosy explain`` shows one, ``docs/errors.md`` all; what is written here is
held to what the code raises by a test.
"""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import argosy
from argosy import errors

PACKAGE = Path(argosy.__path__[0])


@dataclass(frozen=True)
class ErrorKind:
    """A kind of failure."""

    exit_code: int
    means: str
    do: str
    retried: bool = False
    """Whether a compiled manifest tries the step again."""


@dataclass(frozen=True)
class ErrorArea:
    """A part of Argosy, as those who meet its failures know it."""

    about: str
    look: str
    page: str
    """Of the documentation."""
    modules: tuple[str, ...]


KINDS: Mapping[str, ErrorKind] = {
    "usage": ErrorKind(
        2,
        "The command line cannot be understood, or names something that is not there.",
        "Read the message: it names the word, and what there is instead. `argosy VERB --help` lists what a verb takes.",
    ),
    "rejected": ErrorKind(
        10,
        "Everything ran as it should, and the answer is no. Doing it again gives the same answer.",
        "Read the reasons. `argosy why` names each gate that failed and what would pass; of a request, `argosy pr check`.",
    ),
    "disk": ErrorKind(
        74,
        "This machine's disk is full, or refuses writes.",
        "Free space at the place that is named, or set ARGOSY_HOME to another; `argosy gc` collects what has served its time. "
        "Then `argosy resume`.",
    ),
    "unavailable": ErrorKind(
        75,
        "Something outside failed or did not answer: a registry, a store, a forge, a database, a cluster.",
        "Wait, then do it again: the same call may succeed. `argosy resume` goes on with a run. `argosy doctor` says what does not answer.",
        retried=True,
    ),
    "misconfigured": ErrorKind(
        78,
        "A setting, a file or a manifest is wrong. Somebody has to change it first.",
        "The message names the file, often the line, and what would be right. `argosy lint` says the same before a run.",
    ),
    "forbidden": ErrorKind(
        78,
        "Whoever asks may not see or do it; somebody else may.",
        "Ask for the right that is named, or let somebody do it who has it.",
    ),
}
"""By code: what the classes of ``errors`` are called."""

CLASSES: Mapping[type[errors.ArgosyError], str] = {
    errors.UsageError: "usage",
    errors.Rejected: "rejected",
    errors.LocalDisk: "disk",
    errors.TryAgain: "unavailable",
    errors.NotAllowed: "forbidden",
    errors.Misconfigured: "misconfigured",
}
"""Subclasses stand before what they are of."""

AREAS: Mapping[str, ErrorArea] = {
    "adapters": ErrorArea(
        "a service or library outside: forge, registry, stores, databases, validation, cluster",
        "Its address and credentials come from the environment, or from the ConfigMap and Secret of the step; `argosy doctor` tries each.",
        "install.md",
        ("adapters",),
    ),
    "command": ErrorArea(
        "the command line and the state folder of this machine",
        "Names of models, runs, requests and files are looked up here; most messages list what there is.",
        "runs.md",
        ("cli", "exporter"),
    ),
    "data": ErrorArea(
        "a model's folder and data: settings, contract, sources, features, expectations",
        "`argosy lint workflows/MODEL` checks the folder as a whole; `argosy data` shows snapshots.",
        "data.md",
        ("files",),
    ),
    "documents": ErrorArea(
        "a document with fixed rules: evidence, policy, version file, overrides, limits, schedules",
        "The rule is written beside the field; reviewers own policies and overrides, so that a change of one is a request.",
        "concepts.md",
        ("domain",),
    ),
    "engine": ErrorArea(
        "the engine that carries out a manifest here: fields, images, artifacts, processes, the journal",
        "`argosy lint FILE` says what is wrong with a manifest; which fields are run, ignored or refused is listed.",
        "argo-compatibility.md",
        ("engine",),
    ),
    "learning": ErrorArea(
        "calculation: encoding, search, training, metrics, drift",
        "A value that the model cannot take names its row and column; a search or a fit names the setting.",
        "data.md",
        ("ml",),
    ),
    "monitoring": ErrorArea(
        "what follows a merge: looks, labels, retrainings, notices",
        "`monitor` in model.yaml says what is looked at; the prediction log and the monitoring store have to be reachable.",
        "monitoring.md",
        ("monitoring",),
    ),
    "promotion": ErrorArea(
        "requests, approval, signatures, rollback, retirement: what main of the environment repo names",
        "`argosy pr view N` shows a request with every check; `argosy trace` leads back from what is served.",
        "concepts.md",
        ("promotion", "ports"),
    ),
    "scoring": ErrorArea(
        "tables that are scored, part by part",
        "A part that is done is not done again; the message names the part, the column or the place.",
        "scoring.md",
        ("scoring",),
    ),
    "serving": ErrorArea(
        "the model server: options, keys, limits, bundles",
        "What a caller got wrong is an HTTP answer; what stops the server from starting is here.",
        "serving.md",
        ("serving", "ui"),
    ),
    "settings": ErrorArea(
        "the environment of the process: variables, proxies, certificates, plug-ins, what is installed",
        "Each variable is documented in `src/argosy/settings.py`; `argosy doctor` says what is missing.",
        "install.md",
        ("settings", "wiring", "network", "plugins", "scratch", "sql_addresses", "extras"),
    ),
    "step": ErrorArea(
        "one step of a pipeline: its inputs, what it found in the data, what it decided",
        "`argosy logs RUN STEP` has all it said; `argosy report RUN` shows what it left.",
        "runs.md",
        ("steps", "testing"),
    ),
    "templates": ErrorArea(
        "the compiler from `pipeline.py` to a manifest",
        "`argosy compile --check` says whether the committed manifest is what the folder compiles to.",
        "tutorial.md",
        ("templates", "report"),
    ),
}
"""By the second part of a code: where failures come from."""

_OF_MODULE = {module: name for name, area in AREAS.items() for module in area.modules}


def kind_of(error: errors.ArgosyError) -> str:
    """The first part of the code of *error*."""
    return next(code for known, code in CLASSES.items() if isinstance(error, known))


def code_of(error: errors.ArgosyError) -> str:
    """The code of *error*, which was raised: its kind, and the part of Argosy that raised it."""
    kind, areas = kind_of(error), list(_areas(error))
    return f"{kind}/{areas[-1]}" if areas else kind


def _areas(error: errors.ArgosyError) -> Iterator[str]:
    for frame, _ in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
            if first in _OF_MODULE:
                yield _OF_MODULE[first]


def explained(code: str) -> str | None:
    """The page of *code*, as text: a kind, a kind of an area, or an exit code; None where it is none."""
    if code.isascii() and code.isdecimal():
        named = [name for name, kind in KINDS.items() if kind.exit_code == int(code)]
        return "\n\n".join(_page(name, None) for name in named) or None
    kind, slash, area = code.partition("/")
    if kind not in KINDS or (slash and area not in AREAS):
        return None
    return _page(kind, area or None)


def _page(code: str, area: str | None) -> str:
    kind = KINDS[code]
    retried = "A pipeline tries the step again." if kind.retried else "A pipeline does not try again."
    lines = [f"{code}{f'/{area}' if area else ''}: exit code {kind.exit_code}", "", kind.means, kind.do, retried]
    if area:
        found = AREAS[area]
        lines += ["", f"It comes from {found.about}.", found.look, f"More: docs/{found.page}"]
    return "\n".join(lines)


def reference() -> str:
    """``docs/errors.md``."""
    lines = [
        "# Errors",
        "",
        "Written by `python -m argosy.report.error_kinds`; a test holds it to what the code raises.",
        "",
        "A failure begins with `error:` and says what is wrong, where, and what to do next. It has a code of two parts, its kind and",
        "the part of Argosy that it comes from, such as `misconfigured/engine`. On a terminal the code stands below the message; with",
        '`--json` standard error has a second line, `{"error": {"code": …, "exitCode": …, "message": …}}`. `argosy explain CODE`',
        "shows what stands here.",
        "",
        "## Kinds",
        "",
    ]
    for name, kind in KINDS.items():
        retried = "is tried again by a pipeline" if kind.retried else "is not tried again by a pipeline"
        lines += [f"### {name}", "", f"{kind.means} {kind.do}", "", f"Exit code {kind.exit_code}; {retried}.", ""]
    lines += ["## Where they come from", ""]
    for name, area in AREAS.items():
        about = area.about[0].upper() + area.about[1:]
        lines += [f"### …/{name}", "", f"{about}. {area.look} [More]({area.page}).", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - the page itself
