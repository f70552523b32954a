"""Access rules of a served model: who may ask it, how each proves who they are, and how often they may.

The rules name secrets only by their digests, so that whoever reads the file cannot ask in anybody's name.
"""

import datetime
import hashlib
import ipaddress
import re
import secrets
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator

from argosy.domain.documents import Document

EVERY_MODEL = "*"
KEY_PREFIX = "argosy_"
"""What every key of ours begins with, so that scanners of source code find one that was committed."""
_SECRET_BYTES = 32

PrincipalName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z0-9_]{0,39})$")]
Models = Annotated[list[ModelName], Field(min_length=1)]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Asymmetric ones: with any other whoever can check a token can make one."""

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_RATE = re.compile(r"^([1-9][0-9]{0,8})/(second|minute|hour)$")
RateText = Annotated[str, StringConstraints(pattern=_RATE.pattern)]


class Rate:
    """A rate: so many requests in so many seconds, which may come all at once."""

    __slots__ = ("requests", "seconds")

    def __init__(self, text: str) -> None:
        """*text*: ``<requests>/second``, ``/minute`` or ``/hour``, as :data:`RateText` has checked it."""
        count, unit = text.split("/")
        self.requests, self.seconds = int(count), _SECONDS[unit]


class AccessKey(Document):
    """A key that a program asks with: a random text, of which the digest is kept."""

    name: PrincipalName
    """The principal: who has it."""
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    models: Models
    """Models that it opens; ``*`` is every one."""
    expires: AwareDatetime | None = None


class Issuer(Document):
    """An identity provider whose tokens (JWT) are taken."""

    name: PrincipalName
    issuer: str
    """Its name in the tokens' claim ``iss``, to the letter."""
    audience: str
    """What their claim ``aud`` has to name: tokens for others are none for us."""
    keys: Annotated[str, StringConstraints(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/]|/)")]
    """Where its public keys (JWKS) are: an address, or a file."""
    algorithms: list[Algorithm] = Field(min_length=1)
    principal: str = "sub"
    """The claim that says who asks."""
    models: Models | None = None
    """Models that every token of it opens."""
    models_claim: str | None = None
    """The claim that lists the models which a token opens: a list, or words with blanks between."""

    @model_validator(mode="after")
    def _opens_something(self) -> Self:
        if (self.models is None) == (self.models_claim is None):
            raise ValueError("name either models, or models_claim")
        return self


class TrustedProxy(Document):
    """A proxy or mesh that has asked already who it is, and says so in a header."""

    networks: list[str] = Field(min_length=1)
    """Networks that its connections come from, such as ``10.1.0.0/16``. The header is read from nobody else."""
    header: HeaderName | None = None
    """The header that names the principal; of ``x-forwarded-client-cert``, the last ``URI=``. None: it passes on who called, no more."""
    models: Models | None = None

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for text in value:
            try:
                network = ipaddress.ip_network(text)
            except ValueError:
                raise ValueError(f"{text!r} is no network; expected one such as 10.1.0.0/16") from None
            if network.prefixlen == 0:
                raise ValueError(f"{text!r} is everybody, and everybody can write a header")
        return value

    @model_validator(mode="after")
    def _opens_something(self) -> Self:
        if (self.header is None) != (self.models is None):
            raise ValueError("header and models go together: whom it names, and what they may ask")
        return self


class RateLimits(Document):
    """How often each principal may ask, all replicas together where they share a counter."""

    default: RateText = "1000/second"
    principals: dict[str, RateText] = Field(default_factory=dict)
    """Of principals with a rate of their own, by name."""
    failures: RateText = "20/minute"
    """Attempts that prove nothing, by the caller's address."""

    def of(self, principal: str) -> str:
        """The rate of *principal*, as text."""
        return self.principals.get(principal, self.default)


class AccessRules(Document):
    """The file ``access.yaml``."""

    keys: list[AccessKey] = Field(default_factory=list)
    issuers: list[Issuer] = Field(default_factory=list)
    proxies: list[TrustedProxy] = Field(default_factory=list)
    limits: RateLimits = RateLimits()

    @field_validator("keys", "issuers", "proxies", mode="before")
    @classmethod
    def _nothing_is_none_of_them(cls, value: object) -> object:
        # Who takes a key back deletes its line. Were `keys:` with nothing below refused, the last key would go on opening models.
        return [] if value is None else value

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [*(key.name for key in self.keys), *(issuer.name for issuer in self.issuers)]
        twice = next((name for name in names if names.count(name) > 2), None)
        if twice is not None:
            raise ValueError(
                f"{twice!r} is there {names.count(twice)} times; two keys of one name are for changing from one to the other"
            )
        issuers = [each.name for each in self.issuers]
        shared = next((name for name in issuers if names.count(name) > 1), None)
        if shared is not None:
            raise ValueError(f"{shared!r} names an issuer and something else; their principals could not be told apart")
        return self


def new_key(name: str, models: list[str], expires: datetime.datetime | None = None) -> tuple[str, AccessKey]:
    """A new key of *name*: its text, which is kept nowhere, and its rule. Raises pydantic's ValidationError for a bad name."""
    text = f"{KEY_PREFIX}{name}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return text, AccessKey(name=name, digest=key_digest(text), models=models, expires=expires)


def key_digest(text: str) -> str:
    """The digest of the key *text*. It is random and long: nobody finds it by trying, so no slow hash is needed."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def key_name(text: str) -> str | None:
    """The principal that the key *text* says it is of; None where it is no key of ours."""
    if not text.startswith(KEY_PREFIX):
        return None
    name, _, secret = text.removeprefix(KEY_PREFIX).partition("_")
    return name if secret else None


def opens(models: list[str] | frozenset[str], model: str) -> bool:
    """True where *models* of a rule name *model*."""
    return EVERY_MODEL in models or model in models
