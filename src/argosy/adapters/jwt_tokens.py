"""Proves tokens (JWT) by their issuers' public keys (JWKS), with PyJWT.

Who issued a token is read from it unproven, only to find the rule; algorithm, audience, issuer and time are then held to that rule.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt

from argosy import errors
from argosy.domain.access_rules import Issuer
from argosy.ports.token_verifier import NotAuthentic, TokenClaims

LEEWAY_SECONDS = 30
"""By which clocks may differ."""
FETCH_SECONDS = 3.0
KEYS_SECONDS = 300.0
"""How long fetched keys are used."""
AGAIN_SECONDS = 5.0
"""How long after a fetch a key that is not among those is looked for no further: callers invent some. Tokens by a key that signs before its
provider published it are refused for as long."""
MOST_CLAIM = 256


class JwtTokens:
    """See the port."""

    def __init__(self, issuers: Sequence[Issuer], again_seconds: float = AGAIN_SECONDS) -> None:
        self._issuers = {each.issuer: (each, _keys(each, again_seconds)) for each in issuers}

    def verify(self, token: str) -> TokenClaims:
        """See the port."""
        issuer, keys = self._issuer(token)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                keys.of(token),
                algorithms=list(issuer.algorithms),
                audience=issuer.audience,
                issuer=issuer.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", issuer.principal], "strict_aud": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise NotAuthentic(f"a token of {issuer.name} has expired", expired=True) from error
        except jwt.PyJWKClientConnectionError as error:
            raise errors.TryAgain(f"the keys of {issuer.name} cannot be fetched from {issuer.keys}: {error}") from error
        except (jwt.PyJWTError, jwt.PyJWKClientError) as error:
            raise NotAuthentic(f"a token of {issuer.name}: {error}") from error
        return TokenClaims(
            f"{issuer.name}:{_principal(claims, issuer)}",
            issuer.name,
            _models(claims, issuer),
            float(claims["exp"]) + LEEWAY_SECONDS,
        )

    def _issuer(self, token: str) -> tuple[Issuer, "_Keys"]:
        try:
            said = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except jwt.PyJWTError as error:
            raise NotAuthentic(f"this is no token: {error}") from error
        found = self._issuers.get(said) if isinstance(said, str) else None
        if found is None:
            raise NotAuthentic("access.yaml names no such issuer")
        return found


class _Keys:
    """The public keys of one issuer, at an address."""

    def __init__(self, address: str, again_seconds: float) -> None:
        self._client = jwt.PyJWKClient(
            address, timeout=FETCH_SECONDS, lifespan=KEYS_SECONDS, cooldown_duration=again_seconds
        )

    def of(self, token: str) -> jwt.PyJWK:
        """The key that *token* says it is signed by."""
        return self._client.get_signing_key_from_jwt(token)


class _KeysFile(_Keys):
    """The same, in a file."""

    def __init__(self, path: Path) -> None:
        try:
            keys = jwt.PyJWKSet.from_dict(json.loads(path.read_text(encoding="utf-8"))).keys
        except OSError as error:
            raise errors.Misconfigured(f"keys of an issuer: {path} cannot be read: {error.strerror}") from error
        except (ValueError, AttributeError, jwt.PyJWTError) as error:
            raise errors.Misconfigured(f"keys of an issuer: {path} is no JWKS: {error}") from error
        self._by_id = {key.key_id: key for key in keys}

    def of(self, token: str) -> jwt.PyJWK:
        """See the base."""
        found = self._by_id.get(jwt.get_unverified_header(token).get("kid"))
        if found is None:
            raise jwt.PyJWKClientError("it is signed by a key that is not in the file")
        return found


def _keys(issuer: Issuer, again_seconds: float) -> _Keys:
    return _KeysFile(Path(issuer.keys)) if issuer.keys.startswith("/") else _Keys(issuer.keys, again_seconds)


def _principal(claims: dict[str, Any], issuer: Issuer) -> str:
    said = claims[issuer.principal]
    if not isinstance(said, str) or not said or len(said) > MOST_CLAIM:
        raise NotAuthentic(f"a token of {issuer.name}: its claim {issuer.principal!r} names nobody")
    return said


def _models(claims: dict[str, Any], issuer: Issuer) -> frozenset[str]:
    if issuer.models_claim is None:
        return frozenset(issuer.models or ())
    said = claims.get(issuer.models_claim, [])
    words = said.split() if isinstance(said, str) else said
    return frozenset(word for word in words if isinstance(word, str)) if isinstance(words, list) else frozenset()
