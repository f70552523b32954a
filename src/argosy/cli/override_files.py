"""The files of overrides in a checkout of the environment repo: what is wrong with one, and an entry written into one or taken out.

What an override is and when it counts: ``domain.overrides``. That a request brings no model beside it: ``domain.changes``.
"""

import argparse
import datetime
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from argosy import errors
from argosy.cli import acting_user, moments, sample_project
from argosy.domain import comparison, environment_layout, suggestion
from argosy.domain.changes import ChangedFile, Kind, Problem
from argosy.domain.overrides import NEVER, Override, Overrides
from argosy.domain.policy import Policy
from argosy.domain.release import Digest
from argosy.files import model_folder

FOLDER = "policies/overrides/"


def problems(files: Mapping[str, bytes], today: datetime.date) -> Iterator[Problem]:
    """What is wrong with the overrides among *files*; those that ran out by *today* are named beside it, and are no problem."""
    for path in (path for path in files if path.startswith(FOLDER)):
        try:
            found = model_folder.overrides_of(files[path], path)
        except errors.Misconfigured as error:
            yield Problem(path, str(error).removeprefix(path).lstrip(": "))
            continue
        yield from _of_one(path, found, files)
        for one in found.overrides:
            print(f"{path}: {_standing(one, today)}", file=sys.stderr)


def over_already(changed: Iterable[ChangedFile], files: Mapping[str, bytes], today: datetime.date) -> Iterator[Problem]:
    """Overrides of files that a request *changed* which would count for nothing: they had run out by *today*."""
    for path in (one.path for one in changed if one.path.startswith(FOLDER) and one.kind is not Kind.REMOVED):
        try:
            found = model_folder.overrides_of(files[path], path).overrides
        except errors.Misconfigured:  # said elsewhere, of the file that is wrong
            continue
        for one in found:
            if today > one.expires:
                yield Problem(path, f"{one.gate}: expires {one.expires} is over; renew it, or take the entry out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``argosy policy override`` to *parser*."""
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("gate", metavar="GATE", help="its name in the evidence, such as performance.auc, or champion")
    parser.add_argument(
        "--reason", metavar="TEXT", help="why the model may go past it; shown in this request and the next"
    )
    parser.add_argument("--until", type=moments.day, metavar="YYYY-MM-DD", help="the last day on which it counts")
    parser.add_argument(
        "--digest", type=_digest, metavar="sha256:HEX", help="only the model with this digest; default any candidate"
    )
    parser.add_argument("--as", dest="name", metavar="NAME", help="who answers for it (default: you, as git has it)")
    parser.add_argument("--stop", action="store_true", help="take the override out again")
    parser.add_argument("--folder", type=Path, help="the checkout; default gitops-env, or the working directory")


def run(arguments: argparse.Namespace) -> int:
    """Write the entry, or take it out; a request brings it to main."""
    folder = sample_project.checkout(arguments.folder)
    model = arguments.model.replace("-", "_")
    path = folder / environment_layout.overrides_path(model)
    _refuse_unknown(folder, model, arguments.gate)
    known = model_folder.overrides_of(path.read_bytes(), str(path)).overrides if path.is_file() else []
    others = [one for one in known if (one.gate, one.model_digest) != (arguments.gate, arguments.digest)]
    if arguments.stop and len(others) == len(known):
        raise errors.UsageError(f"{path} overrides no {arguments.gate}{' of that digest' if arguments.digest else ''}")
    wanted = others if arguments.stop else [*others, _entry(arguments)]
    _write(path, Overrides(model=model, overrides=wanted))
    said = "is overridden no more" if arguments.stop else wanted[-1].said()
    print(f"{path}: {arguments.gate} {said}; commit it to a branch, and open a request for it that its owners approve")
    return errors.DONE


def _entry(arguments: argparse.Namespace) -> Override:
    if not (arguments.reason or "").strip() or arguments.until is None:
        raise errors.UsageError("an override says why and until when: --reason TEXT --until YYYY-MM-DD")
    if arguments.until < datetime.datetime.now(datetime.UTC).date():
        raise errors.UsageError(f"--until {arguments.until} is over already; name a day to come")
    if arguments.gate in NEVER:
        raise errors.UsageError(f"{arguments.gate} cannot be overridden: {NEVER[arguments.gate]}")
    return Override(
        gate=arguments.gate,
        reason=" ".join(arguments.reason.split()),
        by=acting_user.named(arguments),
        expires=arguments.until,
        model_digest=arguments.digest,
    )


def _write(path: Path, wanted: Overrides) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "# Gates that this model may go past, by whose word and until when. Reviewed as the policy is.\n"
        + yaml.safe_dump(wanted.model_dump(exclude_none=True), sort_keys=False, allow_unicode=True, width=120),
        encoding="utf-8",
    )


def _refuse_unknown(folder: Path, model: str, gate: str) -> None:
    path = folder / environment_layout.policy_path(model)
    if not path.is_file():
        known = [each.stem for each in sorted((folder / "policies").glob("*.yaml"))]
        raise errors.UsageError(f"{folder} has no policy of {model!r}{suggestion.choices(model, known, 'models')}")
    gates = _gates(model_folder.load_policy(path))
    if gate not in gates and gate not in NEVER:
        raise errors.UsageError(f"the policy of {model} has no gate {gate!r}{suggestion.choices(gate, gates, 'gates')}")


def _of_one(path: str, found: Overrides, files: Mapping[str, bytes]) -> Iterator[Problem]:
    if environment_layout.overrides_path(found.model) != path:
        yield Problem(path, f"is about {found.model!r}")
        return
    policy = environment_layout.policy_path(found.model)
    if policy not in files:
        yield Problem(path, f"overrides gates, and there is no {policy}")
        return
    try:
        gates = _gates(model_folder.policy_of(files[policy], policy))
    except errors.Misconfigured:  # said elsewhere, of the policy
        return
    for one in found.overrides:
        if one.gate not in gates:
            yield Problem(path, f"{policy} has no gate {one.gate!r}{suggestion.choices(one.gate, gates, 'gates')}")


def _gates(policy: Policy) -> list[str]:
    """The gates of *policy* that can be overridden."""
    rules = policy.comparison
    compared = [comparison.GATE, *(comparison.gate_name(each.metric) for each in rules.margins)]
    compared += [comparison.IMPROVES_GATE] if rules.improves else []
    return [*compared, *dict.fromkeys(each.metric for each in (*policy.limits, *policy.deviations))]


def _standing(one: Override, today: datetime.date) -> str:
    if today > one.expires:
        return f"the override of {one.gate} by {one.by} ran out on {one.expires}; take it out"
    return f"{one.gate} is {one.said()}"


def _digest(text: str) -> str:
    try:
        return TypeAdapter(Digest).validate_python(text)
    except ValidationError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no model digest: sha256: and 64 hex digits, as `argosy pr list --json` has it"
        ) from None
