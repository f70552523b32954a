"""Keys and rules of who may ask a served model, in a file that `argosy serve --access` and servers on a cluster read.

`key` makes a key, prints it once, and writes its digest into the file; a server that runs reads the file anew by itself. To change a key,
make a second one of the same name, hand it over, then delete the lines of the first. `check` says what the file lets whom do.
"""

import argparse
import datetime
import re
import sys
from pathlib import Path

import yaml

from argosy import errors
from argosy.cli import verb_actions
from argosy.cli.predictions import days
from argosy.domain import access_rules
from argosy.domain.access_rules import EVERY_MODEL, AccessKey, AccessRules
from argosy.files import model_folder

FILE = Path("access.yaml")
NO_KEYS = re.compile(r"keys:\s*\[\]\s*(#.*)?$")
KEYS_BEGIN = re.compile(rf"keys:\s*(#.*)?$|{NO_KEYS.pattern}")
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
    for each in (key, check):
        each.add_argument("--file", type=Path, default=FILE, help=f"the rules; default {FILE}")


def run(arguments: argparse.Namespace) -> int:
    """Make a key, or check the rules."""
    if arguments.action == "key":
        expires = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=arguments.days)
        _make_key(arguments.file, arguments.name, arguments.model or [EVERY_MODEL], expires)
    else:
        _check(arguments.file)
    return errors.DONE


def _make_key(file: Path, name: str, models: list[str], expires: datetime.datetime) -> None:
    try:
        text, key = access_rules.new_key(name, models, expires)
    except ValueError as error:
        raise errors.UsageError(_word_problem(error, name)) from None
    present = _present(file)
    changed = _with(present, key)
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.write_text(changed, encoding="utf-8")
        model_folder.load(draft, AccessRules)
        draft.replace(file)
    except errors.Misconfigured as error:
        raise errors.Rejected(str(error).replace(str(draft), str(file))) from None
    finally:
        draft.unlink(missing_ok=True)
    print(
        f"{file}: a key of {name}, for {_models(models)}, until {expires:%Y-%m-%d}; it is shown this once:",
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
    """The text *present* with *key* first among its keys; comments stay."""
    entry = yaml.safe_dump(
        key.model_dump(mode="json", exclude_none=True), default_flow_style=True, sort_keys=False, width=10_000
    )
    lines = present.splitlines(keepends=True)
    place = next((place for place, line in enumerate(lines) if KEYS_BEGIN.match(line)), None)
    if place is None:
        before = present if not present or present.endswith("\n") else f"{present}\n"
        return f"{before}keys:\n- {entry}"
    following = next((line for line in lines[place + 1 :] if line.strip() and not line.lstrip().startswith("#")), "")
    indent = following[: len(following) - len(following.lstrip())] if following.lstrip().startswith("-") else ""
    begin = lines[place].replace("[]", "", 1) if NO_KEYS.match(lines[place]) else lines[place]
    begin = begin if begin.endswith("\n") else f"{begin}\n"
    return "".join([*lines[:place], begin, f"{indent}- {entry}", *lines[place + 1 :]])


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
    if not (rules.keys or rules.issuers or any(proxy.header for proxy in rules.proxies)):
        raise errors.Rejected(f"{file} lets nobody in; `argosy access key NAME --file {file}` makes a key")


def _until(expires: datetime.datetime | None, now: datetime.datetime) -> str:
    if expires is None:
        return "for ever"
    if expires <= now:
        return f"EXPIRED on {expires:%Y-%m-%d}"
    return f"until {expires:%Y-%m-%d}" + (f" (in {(expires - now).days} days)" if expires - now < SOON else "")


def _models(models: list[str]) -> str:
    return "every model" if EVERY_MODEL in models else ", ".join(models)
