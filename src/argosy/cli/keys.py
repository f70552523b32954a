"""The keys that vouch for models: list them, put a new one in the place of the one that signs, retire one that is needed no more.

A rotation takes two commands, and in between both keys count. `rotate` makes a new key, which signs from then on; what the old one signed
is still believed. `retire` ends the old one, and refuses while something that is served, or waits to be, is signed by it; `resign` asks
for new signatures of what is served, so that nothing has to be trained for it.

On a laptop both work on the keys of the state folder. Elsewhere the public keys are `keys/signing.pub.pem` of the environment repo, and the
private one is a Secret: `rotate --public keys/signing.pub.pem --private new.pem` in a checkout, a request for that file, and once it is
merged `secret --private new.pem` for the Secret.
"""

import argparse
import base64
import datetime
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from argosy import errors, wiring
from argosy.cli import acting_user, moments, state_folder, verb_actions
from argosy.domain import signing_keys
from argosy.domain.signing_keys import PublicKey
from argosy.promotion import key_uses, resigning, seals
from argosy.promotion.standing import Main
from argosy.report import request_lines
from argosy.report.plain_text import line
from argosy.settings import Settings

Action = Callable[[argparse.Namespace, Settings], None]
SECRET, VARIABLE = "argosy-signing", "ARGOSY_SIGNING_KEY"
NO_KEY = "no key of those above"
REVOKE = "whatever it signed: somebody else has the key. What it signed is then served by no server that starts"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = verb_actions.added(verbs, "list", _list, "the keys that count, and what each signed of what is served")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    rotate = verb_actions.added(
        verbs, "rotate", _rotate, "make a new key, which signs from now on; the old one counts beside it"
    )
    rotate.add_argument(
        "--old-expires",
        type=moments.day,
        metavar="DAY",
        help="what the old key signed is believed until DAY (UTC), such as 2027-03-31",
    )
    rotate.add_argument(
        "--although-rotating",
        action="store_true",
        help="also while an older key still counts beside the one that signs",
    )
    rotate.add_argument("--private", type=Path, metavar="FILE", help="where the new private key goes; with --public")
    resign = verb_actions.added(
        verbs,
        "resign",
        _resign,
        "sign anew what is served and a key signed, by a request for each place, so that the key may go",
    )
    resign.add_argument("--as", dest="name", metavar="NAME", help="in whose name (default: yours, as git has it)")
    retire = verb_actions.added(
        verbs, "retire", _retire, "end a key, if nothing that is served or waits is signed by it"
    )
    for each in (resign, retire):
        each.add_argument("id", metavar="ID", help="the key's id, or the beginning of it")
    retire.add_argument(
        "--revoke",
        action="store_true",
        help=REVOKE,
    )
    for each in (listing, rotate, resign, retire):
        each.add_argument(
            "--public",
            type=Path,
            metavar="FILE",
            help=f"the public keys; default those of the state folder, elsewhere {seals.KEY} of a checkout",
        )
    secret = verb_actions.added(
        verbs,
        "secret",
        _secret,
        f"print the Secret {SECRET} with a private key, for `kubectl apply -f -`, SOPS or a vault",
    )
    secret.add_argument("--private", type=Path, required=True, metavar="FILE", help="the private key (PEM)")
    secret.add_argument(
        "--namespace", "-n", required=True, metavar="TEAM", help="the namespace whose pipelines are to sign with it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    action: Action = arguments.do
    action(arguments, Settings.from_environment())
    return errors.DONE


def _list(arguments: argparse.Namespace, settings: Settings) -> None:
    found = wiring.keys().public_keys(arguments.public or settings.verifying_key)
    signs, today = _signs(settings), _today()
    uses = key_uses.served(Main.now(wiring.forge(settings)))
    for key in found:
        row: dict[str, object] = {
            "id": key.id,
            "state": "expired" if key.expired(today) else "signs" if key.hint == signs else "verifies",
            "made": str(key.made or ""),
            "expires": str(key.expires or ""),
            "served": key_uses.by(key.hint, uses),
        }
        print(json.dumps(row) if arguments.json else line(_row(row)))
    _say_strangers(found, uses, as_json=arguments.json)


def _row(row: dict[str, object]) -> str:
    dates = [f"{word} {row[word]}" for word in ("made", "expires") if row[word]]
    served = row["served"]
    return f"{row['id']}  {row['state']:<8}  {', '.join(dates):<34}  {'; '.join(served) if isinstance(served, list) else ''}".rstrip()


def _say_strangers(found: Sequence[PublicKey], uses: Sequence[key_uses.KeyUse], *, as_json: bool) -> None:
    """Say which signatures name none of the keys *found*: what they are of ends with the next start of a server."""
    known = {key.hint for key in found}
    for hint in sorted({hint for use in uses for hint in use.signers} - known):
        row: dict[str, object] = {"id": hint[: signing_keys.DIGITS], "state": "unknown", "made": "", "expires": ""}
        row["served"] = key_uses.by(hint, uses)
        print(json.dumps(row) if as_json else line(f"{_row(row)} ({NO_KEY}: a server that starts refuses it)"))


def _rotate(arguments: argparse.Namespace, settings: Settings) -> None:
    if bool(arguments.public) != bool(arguments.private):
        raise errors.UsageError(
            f"--public and --private belong together: the file {seals.KEY} of a checkout of the environment repo, and a new file for the "
            "private key; without both the keys of the state folder are rotated"
        )
    if arguments.old_expires and arguments.old_expires <= _today():
        raise errors.UsageError(
            f"--old-expires {arguments.old_expires} is past; `argosy keys retire ID` ends a key at once"
        )
    keys = wiring.keys()
    if arguments.public:
        found = keys.public_keys(_existing(arguments.public))
        if not arguments.private.exists():  # else it is the same rotation, whose answer was lost
            _refuse_rotating(found, arguments)
        _say_ending(found, arguments.old_expires, settings)
        new = keys.prepare_signing_key(arguments.private, _existing(arguments.public), arguments.old_expires)
        print(
            line(
                f"key {new.id} counts beside the old ones in {arguments.public}; its private half is {arguments.private}"
            )
        )
        print(f"next: commit {arguments.public} as a request of its own; once it is merged and synced,")
        print(f"      argosy keys secret --private {arguments.private} --namespace TEAM | kubectl apply -f -")
        return
    if settings.signing_key_text:
        raise errors.Misconfigured(
            f"the key that signs is the value of {VARIABLE}, which no command can change; pass --public {seals.KEY} --private FILE"
        )
    state_folder.ensure_keys(settings)
    found = keys.public_keys(settings.verifying_key)
    if not keys.rotation_was_cut_off(settings.signing_key):
        _refuse_rotating(found, arguments)
    _say_ending(found, arguments.old_expires, settings)
    new = keys.rotate_signing_pair(settings.signing_key, settings.verifying_key, arguments.old_expires)
    print(line(f"key {new.id} signs from now on; what older keys signed is believed until `argosy keys retire ID`"))


def _refuse_rotating(found: Sequence[PublicKey], arguments: argparse.Namespace) -> None:
    """Raise Rejected where several keys of *found* count: a command that is typed twice makes one new key."""
    counting = [key for key in found if not key.expired(_today())]
    if len(counting) < 2 or arguments.although_rotating:
        return
    *older, newest = counting
    made = f", made {newest.made}" if newest.made else ""
    place = f" --public {arguments.public}" if arguments.public else ""
    raise errors.Rejected(
        f"a rotation is going on, and no key was made: key {newest.id}{made}, is the newest, and {', '.join(key.id for key in older)} "
        f"still {'counts' if len(older) == 1 else 'count'} beside it. Next: `argosy keys retire {older[0].id}{place}`, once nothing that "
        "is served or waits is signed by it; or pass --although-rotating for one more key"
    )


def _say_ending(old: Sequence[PublicKey], expires: datetime.date | None, settings: Settings) -> None:
    """Say what of that which is served ends on the day that *old* keys expire on."""
    if expires is None:
        return
    uses = key_uses.served(Main.now(wiring.forge(settings)))
    for what in sorted({what for key in old if key.expires is None for what in key_uses.by(key.hint, uses)}):
        print(
            line(f"note: {what}, is served by no server that starts from {expires} on: promote another before"),
            file=sys.stderr,
        )


def _resign(arguments: argparse.Namespace, settings: Settings) -> None:
    file = _existing(arguments.public or settings.verifying_key)
    known = wiring.keys().public_keys(file)
    ending, main = _named(known, arguments.id, file), Main.now(wiring.forge(settings))
    own = _successor(ending, known, file, settings)
    if main.verifying_keys() is not None:
        _refuse_unknown(own, settings)
    check = seals.Seals(
        wiring.artifacts(settings), wiring.verifier(settings, file), lambda: datetime.datetime.now(datetime.UTC)
    )
    by, places = acting_user.named(arguments), list(resigning.found(main, ending.hint))
    refused: list[errors.Rejected] = []
    for one in places:
        try:
            request = main.forge.propose(resigning.proposal(one, check, wiring.signer(settings), by=by, key=own.id))
        except errors.Rejected as error:  # one place keeps no other from being asked for
            refused.append(error)
            continue
        print(
            line(request_lines.row(request) if request else f"{one.version.model} in {one.environment} is signed anew")
        )
    if refused:
        raise errors.Rejected("; ".join(map(str, refused)))
    if places:
        print(f"next: argosy pr view, check and merge each, then `argosy keys retire {ending.id}`")
    else:
        print(f"nothing that is served is signed by key {ending.id}; `argosy keys retire {ending.id}` ends it")


def _successor(ending: PublicKey, known: Sequence[PublicKey], file: Path, settings: Settings) -> PublicKey:
    """The key that signs here, in the place of *ending*. Raises Rejected where it is that one, or none of those *known* in *file*."""
    own = _signing_half(settings)
    if own is None:
        raise errors.Misconfigured(
            f"no key signs here: {settings.signing_key} is not there, and {VARIABLE} is not set; call it where pipelines sign"
        )
    if own.hint == ending.hint:
        raise errors.Rejected(
            f"key {ending.id} is the one that signs; `argosy keys rotate` puts a new one in its place first"
        )
    if own.hint not in {key.hint for key in known}:
        raise errors.Rejected(
            f"key {own.id}, which signs here, is not in {file}, so what it signs would be refused; `argosy keys rotate` adds one"
        )
    return own


def _retire(arguments: argparse.Namespace, settings: Settings) -> None:
    file = _existing(arguments.public or settings.verifying_key)
    keys = wiring.keys()
    found = keys.public_keys(file)
    ending = _named(found, arguments.id, file)
    if not arguments.public and ending.hint == _signs(settings):
        raise errors.Rejected(
            f"key {ending.id} is the one that signs; `argosy keys rotate` puts a new one in its place first"
        )
    left = [key for key in found if key is not ending]
    if not left:
        raise errors.Rejected(f"key {ending.id} is the only one in {file}; `argosy keys rotate` adds a new one first")
    _refuse_needed(ending, Main.now(wiring.forge(settings)), revoke=arguments.revoke)
    keys.put_public_keys(file, left)
    print(line(f"key {ending.id} counts no more in {file}; {', '.join(key.id for key in left)} do"))
    if arguments.public:
        print(f"next: commit {file} as a request of its own")


def _refuse_needed(ending: PublicKey, main: Main, *, revoke: bool) -> None:
    """Raise Rejected where *ending* signed what is served or waits, unless it is to be *revoked*; say what it also signed."""
    needed = key_uses.by(ending.hint, [*key_uses.served(main), *key_uses.waiting(main)])
    if needed and not revoke:
        lines = "".join(f"\n  {line(what)}" for what in needed)
        raise errors.Rejected(
            f"key {ending.id} signed what is served or waits, and servers that start would refuse it; promote versions that a newer key "
            f"signs (`argosy run MODEL`), and close such requests; or --revoke, where somebody else has the key:{lines}"
        )
    for what in needed:
        print(line(f"note: {what}, is refused from now on: promote a new version"), file=sys.stderr)
    for what in key_uses.by(ending.hint, list(key_uses.before(main))):
        print(line(f"note: nobody can go back to {what}, any more"), file=sys.stderr)


def _secret(arguments: argparse.Namespace, settings: Settings) -> None:
    try:
        private = arguments.private.read_bytes()
    except OSError as error:
        raise errors.UsageError(f"--private {arguments.private} cannot be read: {error.strerror}") from error
    own = wiring.keys().public_half(private)
    _refuse_unknown(own, settings)
    if sys.stdout.isatty():
        raise errors.UsageError("this would show the private key on the terminal; pipe it: … | kubectl apply -f -")
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": arguments.namespace},
        "data": {VARIABLE: base64.b64encode(private).decode()},
    }
    print(yaml.safe_dump(document, sort_keys=False), end="")


def _refuse_unknown(own: PublicKey, settings: Settings) -> None:
    """Raise Rejected where main does not know the key *own* yet: what it signs would be refused."""
    content = Main.now(wiring.forge(settings)).verifying_keys()
    if content is None:
        print(
            f"note: main of the environment repo has no {seals.KEY}, so nobody can say whether servers know key {own.id}",
            file=sys.stderr,
        )
        return
    try:
        known = signing_keys.parse(content)
    except signing_keys.UnreadableError as error:
        raise errors.Misconfigured(f"{seals.KEY} on main of the environment repo cannot be used: {error}") from error
    if own.hint not in {key.hint for key in known}:
        raise errors.Rejected(
            f"main's {seals.KEY} does not hold key {own.id} yet, so whatever it signs would be refused; merge the request that adds it "
            "(`argosy keys rotate --public … --private …`) first"
        )


def _named(found: Sequence[PublicKey], start: str, file: Path) -> PublicKey:
    key = signing_keys.named(found, start)
    if key is None:
        ids = ", ".join(key.id for key in found)
        raise errors.UsageError(f"{start!r} is the id of no key in {file}, or of several; there are: {ids}")
    return key


def _signs(settings: Settings) -> str | None:
    """The hint of the key that signs here; None where this place has none."""
    own = _signing_half(settings)
    return own.hint if own else None


def _signing_half(settings: Settings) -> PublicKey | None:
    """The public half of the key that signs here; None where this place has none."""
    if settings.signing_key_text:
        return wiring.keys().public_half(settings.signing_key_text.encode())
    if not settings.signing_key.is_file():
        return None
    return wiring.keys().public_half(settings.signing_key.read_bytes())


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise errors.UsageError(
            f"{file} is no file; name {seals.KEY} of a checkout of the environment repo, or make this machine's keys with `argosy setup`"
        )
    return file


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
