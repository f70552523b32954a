"""Keys and rules of who may ask a served model, in a file that `argosy serve --access` and servers on a cluster read.

`key` makes a key, prints it once, and writes its digest into the file; a server that runs reads the file anew by itself. To change a key,
make a second one of the same name, hand it over, then delete the lines of the first. `check` says what the file lets whom do. `secret`
prints the Secret by which the file reaches servers on a cluster; it holds digests, and no key.
"""

import argparse
import datetime
import sys
from pathlib import Path

import yaml

from argosy import errors
from argosy.cli import models, verb_actions
from argosy.cli.predictions import days
from argosy.domain import access_rules
from argosy.domain.access_rules import EVERY_MODEL, AccessKey, AccessRules
from argosy.files import model_folder

RULES = "access.yaml"
"""The key of the Secret."""
FILE = Path(RULES)
SECRET = "argosy-access"  # noqa: S105 - a name
SOON = datetime.timedelta(days=14)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    key = verb_actions.added(verbs, "key", None, "make a key, print it, and write its digest into the file")
    key.add_argument("name", metavar="NAME", help="who gets it, such as billing")
    key.add_argument(
        "--model", action="append", metavar="MODEL", help="a model that it opens, repeatable; default every one"
    )
    key.add_argument("--days", type=days, default=365, metavar="N", help="how long it is taken; default 365")
    check = verb_actions.added(verbs, "check", None, "say what the file lets whom do")
    secret = verb_actions.added(
        verbs, "secret", None, f"print the Secret {SECRET} with the file, for `kubectl apply -f -`, SOPS or a vault"
    )
    secret.add_argument(
        "--namespace",
        "-n",
        required=True,
        metavar="NAMESPACE",
        help="where the models are served, such as argosy-staging",
    )
    secret.add_argument(
        "--name", default=SECRET, help=f"as access.secret of the model's values has it; default {SECRET}"
    )
    for each in (key, check, secret):
        each.add_argument("--file", type=Path, default=FILE, help=f"the rules; default {FILE}")


def run(arguments: argparse.Namespace) -> int:
    """Make a key, check the rules, or print their Secret."""
    if arguments.action == "key":
        expires = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=arguments.days)
        _make_key(arguments.file, arguments.name, arguments.model or [EVERY_MODEL], expires)
    elif arguments.action == "secret":
        _print_secret(arguments.file, arguments.name, arguments.namespace)
    else:
        _check(arguments.file)
    return errors.DONE


def _make_key(file: Path, name: str, models_opened: list[str], expires: datetime.datetime) -> None:
    try:
        text, key = access_rules.new_key(name, models_opened, expires)
    except ValueError as error:
        raise errors.UsageError(_word_problem(error, name)) from None
    present = _present(file)
    changed = _with(present, key)
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.write_text(changed, encoding="utf-8")
        if model_folder.load(draft, AccessRules).keys[:1] != [key]:
            raise errors.Misconfigured(
                f"{file}: cannot be extended as it is written; begin its keys on a line of their own"
            )
        draft.replace(file)
    except errors.Misconfigured as error:
        raise errors.Rejected(str(error).replace(str(draft), str(file))) from None
    finally:
        draft.unlink(missing_ok=True)
    for doubt in filter(None, map(models.doubt, set(models_opened) - {EVERY_MODEL})):
        print(f"note: {doubt}; the key opens it once there is one", file=sys.stderr)
    print(
        f"{file}: a key of {name}, for {_models(models_opened)}, until {expires:%Y-%m-%d}; it is shown this once:",
        file=sys.stderr,
    )
    print(text)


def _present(file: Path) -> str:
    """What *file* says, which must be understood: nothing is written into what is not. It may be missing, or hold comments alone."""
    if not file.exists():
        return ""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise errors.Misconfigured(f"{file} cannot be read: {error}") from None
    if any(line.split("#")[0].strip() for line in text.splitlines()):
        model_folder.load(file, AccessRules)
    return text


def _word_problem(error: ValueError, name: str) -> str:
    field = str(getattr(error, "errors", list)()[0]["loc"][0]) if hasattr(error, "errors") else "name"
    if field == "models":
        return "a model's name has small letters, digits and _"
    return f"{name!r} is no name for a key; expected small letters, digits and -, a letter first, at most 40"


def _with(present: str, key: AccessKey) -> str:
    """The text *present* with *key* first among its keys, however they are written; comments stay."""
    entry = yaml.safe_dump(
        key.model_dump(mode="json", exclude_none=True), default_flow_style=True, sort_keys=False, width=10_000
    )
    root = yaml.compose(present, Loader=yaml.SafeLoader)
    pairs, in_braces = (root.value, bool(root.flow_style)) if isinstance(root, yaml.MappingNode) else ([], False)
    found = next(((name, value) for name, value in pairs if name.value == "keys"), None)
    if found is None:
        if root is not None and in_braces:
            return _put(present, root.start_mark.index + 1, f"keys: [{entry.strip()}]{', ' if pairs else ''}")
        before = present if not present or present.endswith("\n") else f"{present}\n"
        return f"{before}keys:\n- {entry}"
    return _among(present, entry, *found, in_braces=in_braces)


def _among(present: str, entry: str, name: yaml.Node, keys: yaml.Node, *, in_braces: bool) -> str:
    """The text *present* with *entry* first of *keys*, which stand under *name*; *in_braces*: as all of it does."""
    begin, end = keys.start_mark.index, keys.end_mark.index
    listed = keys if isinstance(keys, yaml.SequenceNode) and keys.value else None
    if listed is not None and listed.flow_style:
        return _put(present, begin + 1, f"{entry.strip()}, ")
    if listed is None:
        present = present[:begin] + present[end:]  # `[]`, or a word for nothing
    if in_braces:
        return _put(present, begin, f"[{entry.strip()}]")
    line = present.find("\n", name.end_mark.index) + 1
    if not line:
        present, line = f"{present}\n", len(present) + 1
    return _put(present, line, f"{' ' * (listed.start_mark.column if listed else 0)}- {entry}")


def _put(text: str, place: int, more: str) -> str:
    return text[:place] + more + text[place:]


def _check(file: Path) -> None:
    rules = model_folder.load(file, AccessRules)
    now = datetime.datetime.now(datetime.UTC)
    for key in rules.keys:
        print(f"key {key.name}: {_models(key.models)}, {_until(key.expires, now)}, {rules.limits.of(key.name)}")
    for issuer in rules.issuers:
        opened = f"those of claim {issuer.models_claim}" if issuer.models is None else _models(issuer.models)
        print(
            f"tokens of {issuer.name} ({issuer.issuer}): {opened}; {', '.join(issuer.algorithms)}; keys at {issuer.keys}"
        )
    for proxy in rules.proxies:
        trusted = (
            f"who {proxy.header} names: {_models(proxy.models or [])}" if proxy.header else "its word on who called"
        )
        print(f"proxy {', '.join(proxy.networks)}: {trusted}")
    print(f"everybody else: nothing; at most {rules.limits.default} each, {rules.limits.failures} failures an address")
    if _nobody(rules):
        raise errors.Rejected(f"{file} lets nobody in; `argosy access key NAME --file {file}` makes a key")


def _print_secret(file: Path, name: str, namespace: str) -> None:
    rules = model_folder.load(file, AccessRules)
    if _nobody(rules):
        print(f"note: {file} lets nobody in; `argosy access key NAME --file {file}` makes a key", file=sys.stderr)
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": {RULES: _Lines(file.read_text(encoding="utf-8"))},
    }
    print(yaml.dump(document, Dumper=_SecretDumper, sort_keys=False, allow_unicode=True, width=10_000).rstrip("\n"))


class _Lines(str):
    """Text that is shown line by line, so that a review of the Secret reads it."""


class _SecretDumper(yaml.SafeDumper):
    """Writes :class:`_Lines` as a block."""


_SecretDumper.add_representer(
    _Lines, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
)


def _nobody(rules: AccessRules) -> bool:
    """True where *rules* let nobody in."""
    return not (rules.keys or rules.issuers or any(proxy.header for proxy in rules.proxies))


def _until(expires: datetime.datetime | None, now: datetime.datetime) -> str:
    if expires is None:
        return "for ever"
    if expires <= now:
        return f"EXPIRED on {expires:%Y-%m-%d}"
    return f"until {expires:%Y-%m-%d}" + (f" (in {(expires - now).days} days)" if expires - now < SOON else "")


def _models(opened: list[str]) -> str:
    return "every model" if EVERY_MODEL in opened else ", ".join(opened)
