"""The public keys that signatures are checked with: a file of PEM blocks, each below a comment with the days it was made and expires.

While a key is being replaced the file holds two. A signature names its key, so exactly one is asked. Whether a block is a key, and whether
a signature holds, is for the adapter to say.
"""

import base64
import binascii
import datetime
import hashlib
import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
PUBLIC = "PUBLIC KEY"
DIGITS = 12
"""Of a key's id, as people read it."""


class UnreadableError(ValueError):
    """A file is no list of public keys; the message says why."""


@dataclass(frozen=True)
class PublicKey:
    """A public key, and what its comment says of it."""

    pem: str
    made: datetime.date | None = None
    expires: datetime.date | None = None
    """From this day on, in UTC, nothing that it signed is believed."""

    @property
    def hint(self) -> str:
        """The name that signatures have for it: SHA-256 of the PEM, in hex."""
        return hashlib.sha256(self.pem.encode()).hexdigest()

    @property
    def id(self) -> str:
        """The beginning of :attr:`hint`."""
        return self.hint[:DIGITS]

    def expired(self, today: datetime.date) -> bool:
        """Whether it counts no more *today*."""
        return self.expires is not None and today >= self.expires

    def text(self) -> str:
        """As it stands in the file."""
        words = ["# key", self.id]
        words += [f"made {self.made:%Y-%m-%d}"] if self.made else []
        words += [f"expires {self.expires:%Y-%m-%d}"] if self.expires else []
        return f"{' '.join(words)}\n{self.pem}"


def parse(content: bytes) -> list[PublicKey]:
    """The keys in *content*, in its order. Raises UnreadableError where there is none, or one that is private."""
    text = content.decode("utf-8", "replace")
    found: list[PublicKey] = []
    end = 0
    for block in BLOCK.finditer(text):
        if block[1] != PUBLIC:
            raise UnreadableError(f"it holds a {block[1].lower()}, and only public keys belong there")
        made, expires = _dates(text[end : block.start()])
        found.append(PublicKey(_canonical(block[2]), made, expires))
        end = block.end()
    if not found:
        raise UnreadableError("it holds no public key in PEM")
    return found


def text(keys: Iterable[PublicKey]) -> str:
    """The file of *keys*."""
    return "".join(key.text() for key in keys)


def named(keys: Sequence[PublicKey], start: str) -> PublicKey | None:
    """The one of *keys* whose id begins with *start*; None where none does, or several do."""
    found = [key for key in keys if key.hint.startswith(start.lower())]
    return found[0] if len(found) == 1 else None


def signer(signature: bytes) -> str | None:
    """The :attr:`PublicKey.hint` that *signature* (a Sigstore bundle) names its key by; None where it names none, or is no signature."""
    try:
        hint = json.loads(signature)["verificationMaterial"]["publicKey"]["hint"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return hint if isinstance(hint, str) and hint else None


def expiring(key: PublicKey, expires: datetime.date | None) -> PublicKey:
    """*key*, which counts until *expires*."""
    return replace(key, expires=expires)


def _canonical(body: str) -> str:
    """PEM as signers write it, whatever its lines were before: a key's name is the digest of it."""
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise UnreadableError("it holds no public key in PEM: what stands between BEGIN and END is no base64") from None
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {PUBLIC}-----\n{lines}\n-----END {PUBLIC}-----\n"


def _dates(before: str) -> tuple[datetime.date | None, datetime.date | None]:
    """When a key was made and when it expires, by the comments *before* it."""
    said = " ".join(line for line in before.splitlines() if line.lstrip().startswith("#"))
    return _date(said, "made"), _date(said, "expires")


def _date(said: str, word: str) -> datetime.date | None:
    after = re.search(rf"\b{word}\b[: ]*(\S*)", said)
    if after is None:
        return None
    try:
        return datetime.date.fromisoformat(after[1])
    except ValueError:  # a typo must not make a key live for ever
        raise UnreadableError(f"its comment says `{word} {after[1]}`; expected a day such as 2027-03-31") from None
