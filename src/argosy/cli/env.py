"""Check an environment repo as it lies there: what its workflow runs on every request, and anybody on a laptop. Pin what that runs.

Policies, values, versions, evidence, digests and the signature of the evidence; with `--base`, that a change promotes one model in one
environment. Ends 10 where something is wrong. What the model store holds, and whether main has moved on, are checks of the request:
`argosy pr check`.
"""

import argparse
import datetime
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from argosy import errors, wiring
from argosy.cli import acting_user, charts, commit_files, override_files, policies, sample_project, second_file_writer
from argosy.domain import changes, environment_layout, environment_repo, workflow_images
from argosy.domain.changes import ChangedFile, Place, Problem
from argosy.domain.chart_values import coalesced
from argosy.engine.manifest import loading
from argosy.files import model_folder
from argosy.files.git_repository import Repository
from argosy.ports.signer import Verifier
from argosy.promotion import policy_replays, seals
from argosy.promotion.standing import Main
from argosy.report import plain_text, policy_replay_lines
from argosy.settings import Settings

CHART = "inference"
RELEASE = "model"
ANY_VERSION: dict[str, Any] = {
    "environment": environment_layout.PRODUCTION,
    "version": 2**31 - 1,  # not below any minimumVersion
    "modelDigest": f"sha256:{'0' * 64}",
    "storageUri": "s3://bucket/prefix/",
    "image": f"registry/serve@sha256:{'0' * 64}",
    "signature": "a signature",
    "verifyingKey": "a key",
}
"""Values that version.yaml and Argo CD add."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = verbs.add_parser(
        "check", help="check a checkout of it", description="Check a checkout of the environment repo."
    )
    check.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="default the working directory"
    )
    check.add_argument("--base", metavar="COMMIT", help="also check what changed since COMMIT, as one request")
    check.add_argument(
        "--commit",
        metavar="COMMIT",
        help="check COMMIT as git holds it, not the files that lie in FOLDER; nothing of it is checked out there",
    )
    check.add_argument(
        "--chart", type=Path, help="the chart inference, whose values are checked; default the one of argosy"
    )
    check.set_defaults(do=_check)
    adopt = verbs.add_parser(
        "adopt-policy",
        help="let a policy of gitops-env/ count",
        description="Commit gitops-env/policies/MODEL.yaml to main of this machine's environment repo.",
    )
    adopt.add_argument("model", metavar="MODEL")
    adopt.add_argument("--as", dest="name", metavar="NAME", help="in whose name (default: yours, as git has it)")
    adopt.set_defaults(do=_adopt_policy)
    pin = verbs.add_parser(
        "pin-image",
        help="say which image its workflows run, by digest",
        description="Write into the workflows of the environment repo which image `promote` they run beside the forge's token.",
    )
    pin.add_argument(
        "image",
        nargs="?",
        metavar="IMAGE@sha256:DIGEST",
        help="as your registry or mirror has it; default the one of images/images.lock",
    )
    pin.add_argument("--folder", type=Path, help="the environment repo; default gitops-env, or the working directory")
    pin.set_defaults(do=_pin_image)
    second = verbs.add_parser(
        "second",
        help="try a second version beside the one that an environment serves",
        description="Write models/MODEL/ENVIRONMENT/second.yaml into a checkout of the environment repo, for a request of its own.",
    )
    second_file_writer.add_arguments(second)
    second.set_defaults(do=second_file_writer.run)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    action: Callable[[argparse.Namespace], int] = arguments.do
    return action(arguments)


def _adopt_policy(arguments: argparse.Namespace) -> int:
    print(policies.adopt(Settings.from_environment(), arguments.model, acting_user.named(arguments)))
    return errors.DONE


def _pin_image(arguments: argparse.Namespace) -> int:
    """Write the image into every workflow that runs it. Raises UsageError where it is none by digest, or no workflow is there."""
    from argosy.templates import images

    image = arguments.image or images.of("promote", Path())
    if not workflow_images.BY_DIGEST.fullmatch(image):
        raise errors.UsageError(
            f"{image} is no image by digest; give NAME@sha256:DIGEST, or let `make images ARGUMENTS='--push REGISTRY'` "
            "write images/images.lock"
        )
    folder = arguments.folder or (
        sample_project.ENVIRONMENT_REPO if sample_project.ENVIRONMENT_REPO.is_dir() else Path()
    )
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in _paths(folder / ".github") if path.is_file()
    }
    found = workflow_images.pinned(files, image)
    if not found:
        raise errors.UsageError(
            f"{folder.absolute()} has no workflow that runs Argosy; name the environment repo: --folder"
        )
    for path, content in found.items():
        (folder / path).write_bytes(content)
        print(f"{folder / path} runs {image}")
    print("commit them to main of the environment repo: its workflows are main's")
    return errors.DONE


def _check(arguments: argparse.Namespace) -> int:
    """Check it, and say what is wrong."""
    if arguments.commit:
        with commit_files.unpacked(arguments.folder, arguments.commit) as (place, others):
            return _checked(arguments, place, others)
    links = [path.relative_to(arguments.folder).as_posix() for path in _paths(arguments.folder) if path.is_symlink()]
    return _checked(arguments, arguments.folder, links)


def _checked(arguments: argparse.Namespace, folder: Path, others: Sequence[str]) -> int:
    """Check the files in *folder*; *others*: the paths there that are no files."""
    if not (folder / "models").is_dir():
        raise errors.UsageError(f"{folder.absolute()} is no environment repo: it has no folder models/")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _paths(folder) if path.is_file()}
    unusual = [Problem(path, "is a link or another repository, not a file") for path in others]
    found = [*unusual, *_problems(folder, files, arguments.chart), *_of_change(arguments, files)]
    return _report(found, folder)


def _problems(folder: Path, files: dict[str, bytes], chart: Path | None) -> list[Problem]:
    """Problems of the environment repo whose *files* lie in *folder*."""
    of_values = charts.folder(CHART, chart)
    for late in environment_repo.overdue(files, datetime.datetime.now(datetime.UTC).date()):
        print(plain_text.line(f"{late.path}: {late.said}"), file=sys.stderr)
    for path in workflow_images.unnamed(files):
        print(f"{path} runs no image yet; `argosy env pin-image` puts yours in", file=sys.stderr)
    found = [
        *environment_repo.problems(files),
        *workflow_images.problems(files),
        *_policies(folder, files),
        *override_files.problems(files, datetime.datetime.now(datetime.UTC).date()),
        *_merge_rules(files),
        *_server_images(folder, files),
        *_values(folder, files, of_values),
    ]
    # What does not fit the schema cannot be rendered.
    return found or list(_renderings(folder, files, of_values))


def _of_change(arguments: argparse.Namespace, files: dict[str, bytes]) -> list[Problem]:
    """Problems of the change since the base, and with the signatures of what it serves: with main's key, not with its own."""
    if not arguments.base:
        return _unsigned(files, environment_repo.places(files), files.get(seals.KEY))
    repository = Repository(arguments.folder / ".git")
    changed = _changed(repository, arguments.base, arguments.commit or "HEAD")
    _say_rules(changed)
    _say_replays(repository, changed, files)
    key = repository.files(arguments.base, seals.KEY).get(seals.KEY)
    found = [
        *changes.problems(changed),
        *override_files.over_already(changed, files, datetime.datetime.now(datetime.UTC).date()),
        *_unsigned(files, changes.served(changed), key),
    ]
    if any(file.path == seals.KEY for file in changed):  # a key that is taken away takes what it signed out of service
        found += _unsigned(files, environment_repo.places(files), files.get(seals.KEY, b""))
    return found


def _unsigned(files: dict[str, bytes], places: Sequence[Place], key: bytes | None) -> list[Problem]:
    if key is None and places:
        print(f"there is no {seals.KEY}, so no signature was checked", file=sys.stderr)
    if key is None:
        return []
    return list(seals.unsigned(files, places, key, _verifier))


def _verifier(key: Path) -> Verifier:
    return wiring.verifier(Settings.from_environment(), key=key)


def _report(found: Sequence[Problem], folder: Path) -> int:
    for problem in found:
        print(plain_text.line(f"{problem.path}: {problem.said}"))
    count = sum(place.is_dir() for place in (folder / "models").iterdir())
    print(f"{count} models, {len(found) or 'no'} problem{'' if len(found) == 1 else 's'}")
    return errors.Rejected.exit_code if found else errors.DONE


def _paths(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if ".git" not in path.relative_to(folder).parts:
            yield path


def _policies(folder: Path, files: dict[str, bytes]) -> Iterator[Problem]:
    for path in files:
        if not environment_layout.is_policy(path):
            continue
        try:
            policy = model_folder.load_policy(folder / path)
        except errors.Misconfigured as error:
            yield Problem(path, str(error).removeprefix(f"{folder / path}").lstrip(": "))
            continue
        if environment_layout.policy_path(policy.model) != path:
            yield Problem(path, f"is about {policy.model!r}")


def _merge_rules(files: dict[str, bytes]) -> Iterator[Problem]:
    """Rules by which requests merge by themselves, and nobody could read; where production has some, that is said."""
    known = {environment_layout.merging_path(name): name for name in environment_layout.ENVIRONMENTS}
    for path in (path for path in files if path.startswith("clusters/") and path.endswith("/merging.yaml")):
        if path not in known:
            yield Problem(path, f"is of no environment; environments: {', '.join(environment_layout.ENVIRONMENTS)}")
            continue
        try:
            rules = model_folder.merge_rules_of(files[path], path)
        except errors.Misconfigured as error:
            yield Problem(path, str(error).removeprefix(path).lstrip(": "))
            continue
        if rules.auto_merge and known[path] == environment_layout.PRODUCTION:
            print(f"{path}: requests for production merge by themselves, reviews {rules.reviews}", file=sys.stderr)


def _server_images(folder: Path, files: dict[str, bytes]) -> Iterator[Problem]:
    """Servers' images of environments that a sync would refuse, or that would change after the review."""
    for path in (environment_layout.server_path(name) for name in environment_layout.ENVIRONMENTS):
        if path not in files:
            continue
        values = _as_helm_reads(folder, path)
        if isinstance(values, Problem):
            yield values
        else:
            yield from (Problem(path, why) for why in environment_repo.forbidden_of_environment(values))


def _values(folder: Path, files: dict[str, bytes], chart: Path) -> Iterator[Problem]:
    """Values that the chart would refuse when it is too late, at the sync."""
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    for path in files:
        if not (matched := environment_repo.VALUES.fullmatch(path)):
            continue
        values = _as_helm_reads(folder, path)
        if isinstance(values, Problem):
            yield values
            continue
        yield from (Problem(path, why) for why in _refusals(values, matched["model"], schema, defaults))
        if isinstance(values, dict):
            yield from environment_repo.below_minimum(matched["model"], values, files)
            if said := environment_repo.opened(matched["model"], values):
                print(f"{path}: {said}", file=sys.stderr)


def _as_helm_reads(folder: Path, path: str) -> Any:
    """The values in the file *path* of *folder*, or the Problem why there are none to speak of."""
    try:
        return _helm_values(folder / path)
    except errors.Misconfigured as error:
        return Problem(path, f"cannot be read: {str(error).removeprefix(f'{folder / path}').lstrip(': ')}")


def _helm_values(path: Path) -> Any:
    """The values in the file *path*. Raises Misconfigured where Helm reads none, or readers of YAML do not agree on them.

    Helm reads with Kubernetes' library, and so does the engine: ``unsigned: false`` before a merge key with ``unsigned: true`` is false to
    YAML's other readers, and true there.
    """
    documents = loading.bodies(path)
    if len(documents) > 1:
        raise errors.Misconfigured(f"{path}: holds {len(documents)} documents; Helm reads the first alone")
    return documents[0] if documents else None


def _renderings(folder: Path, files: dict[str, bytes], chart: Path) -> Iterator[Problem]:
    """Values that fit one by one and not together, as the chart itself says; where there is a `helm` to render it."""
    if shutil.which("helm") is None:
        said = "helm is not installed, so what the chart itself would refuse was not looked for"
        print(said, file=sys.stderr)
        return
    helm = wiring.charts(executable="helm", context=None)
    for path in files:
        if matched := environment_repo.VALUES.fullmatch(path):
            try:
                helm.rendered(chart, RELEASE, RELEASE, {**_helm_values(folder / path), **ANY_VERSION})
            except errors.Misconfigured as error:
                said = str(error).partition(": ")[2]
                yield Problem(path, f"the chart refuses the values of {matched['model']}: {said}")


def _refusals(values: Any, model: str, schema: dict[str, Any], defaults: dict[str, Any]) -> Iterator[str]:
    import jsonschema

    if not isinstance(values, dict):
        yield f"expected a mapping of values, found a {type(values).__name__}"
        return
    if values.get("model") != model:
        yield f"is about {values.get('model')!r}"
    yield from environment_repo.forbidden(values)
    # As they will be checked: over the defaults, with what version.yaml and Argo CD add.
    whole = coalesced(defaults, {**values, **ANY_VERSION})
    for error in sorted(jsonschema.Draft7Validator(schema).iter_errors(whole), key=str):
        yield f"{'.'.join(str(part) for part in error.absolute_path) or 'the whole'}: {error.message}"


def _changed(repository: Repository, base: str, head: str) -> list[ChangedFile]:
    """The files that *head* changes against where it left *base*, by git's trees: kinds and modes too."""
    if not repository.path.exists() or repository.resolve(base) is None:
        raise errors.UsageError(
            f"--base {base}: {repository.path.parent.absolute()} has no such commit; fetch it first"
        )
    left = repository.merge_base(base, head)
    if left is None:
        raise errors.UsageError(f"--base {base}: it has no history in common with {head}")
    return changes.difference(repository.entries(left), repository.entries(head))


def _say_rules(changed: Sequence[ChangedFile]) -> None:
    """Say that a change is one of rules: no check of ours judges those."""
    if changed and not changes.served(changed):
        for one in changed:
            print(plain_text.line(f"{one.path}: {one.kind}; no version changes with it, so people must review it"))


def _say_replays(repository: Repository, changed: Sequence[ChangedFile], files: Mapping[str, bytes]) -> None:
    """Say which past promotions a change of gates would have decided otherwise, as far as *repository* has main and its history."""
    proposed = [one.path for one in changed if environment_layout.is_policy(one.path) and one.path in files]
    if not proposed or repository.resolve(policies.MAIN) is None:
        return
    main = Main.now(wiring.checked_out(repository.path))
    for path in proposed:
        try:
            policy = model_folder.policy_of(files[path], path)
            found = policy_replays.under(main, policy.model, policy, datetime.datetime.now(datetime.UTC).date())
        except errors.Misconfigured:  # said elsewhere, of the file that is wrong
            continue
        for text in policy_replay_lines.lines(path, found):
            print(plain_text.line(text))
