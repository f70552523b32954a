"""Decides on each request: who asks, whether that may ask this model, and whether it asks too often.

Nothing here knows HTTP or gRPC: a protocol hands over what the caller brought, and turns a refusal into its own words.
"""

import asyncio
import hmac
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

from argosy import errors
from argosy.domain import access_rules
from argosy.domain.access_rules import AccessKey, AccessRules, TrustedProxy
from argosy.ports.rate_limiter import RateLimiter
from argosy.ports.token_verifier import NotAuthentic, TokenClaims, TokenVerifier
from argosy.serving.access.local_rate_limiter import LocalRateLimiter, RateCounter, retry_after
from argosy.serving.access.outcomes import Outcome
from argosy.serving.circuit_breaker import CircuitBreaker
from argosy.serving.request_problems import RequestProblem, shown

_log = logging.getLogger("argosy.serving")

TOKEN_SECONDS = 60.0
"""How long a proven token is remembered; a key that its issuer withdraws is not taken for longer than that."""
PROVED_AT_ONCE = 2
"""Tokens whose proof is under way; their provider's keys may have to be fetched."""
PROOF_SECONDS = 5.0
MOST_TOKENS = 4_096
LONGEST_CREDENTIAL = 8 * 1024
SHARED_SECONDS = 0.25
"""For the counter that replicas share; after that, each counts by itself."""
_NOBODYS = access_rules.key_digest("")

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, once that is proven."""

    name: str
    models: frozenset[str]
    expires: float
    """Seconds since 1970; infinity for one that does not expire."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a caller brought along."""

    peer: str
    """The address that the connection comes from."""
    headers: Mapping[str, str]
    """Headers, or gRPC's metadata, by lower-case name."""


def by_name(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The headers that came as *pairs*. Of one that comes twice the first counts, except where proxies append."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif name.startswith("x-forwarded-"):
            found[name] += f",{value}"
    return found


class Gatekeeper:
    """The decisions by one set of rules."""

    def __init__(
        self,
        rules: AccessRules,
        *,
        tokens: TokenVerifier | None = None,
        shared: RateLimiter | None = None,
        count: Callable[[Outcome], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        local: RateCounter | None = None,
    ) -> None:
        """*tokens*: of the rules' issuers. *shared*: the counter that replicas share. *count* is told each outcome, one of ``OUTCOMES``."""
        self._rules = rules
        self._tokens = None if tokens is None else _TokenProofs(tokens)
        self._rates = _Rates(rules.limits, shared, LocalRateLimiter() if local is None else local)
        self._count = count
        self._clock = clock
        self._keys: dict[str, list[AccessKey]] = {}
        for key in rules.keys:
            self._keys.setdefault(key.name, []).append(key)
        self._proxies = [(_networks(proxy), proxy) for proxy in rules.proxies]
        self._proven: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    async def admit(self, brought: Credentials, model: str | None) -> Principal:
        """Who asks *model*. Raises RequestProblem: 401 not proven, 403 not their model, 429 too often, 503 cannot be proven now.

        *model*: None where it is not known yet; :meth:`authorize` then says whether it is theirs.
        """
        principal = await self._proved(brought)
        if model is not None:
            self.authorize(principal, model)
        wait = await self._rates.of_principal(principal.name)
        if wait:
            self._count("too often")
            rate = self._rules.limits.of(principal.name)
            raise RequestProblem(429, f"{shown(principal.name)} may ask {rate}, and did", retry_after=retry_after(wait))
        self._count("let in")
        return principal

    def authorize(self, principal: Principal, model: str) -> None:
        """Raises RequestProblem (403) where *principal* may not ask *model*."""
        if not access_rules.opens(principal.models, model):
            self._count("not allowed")
            raise RequestProblem(403, f"{shown(principal.name)} may not ask {model}; access.yaml says who may")

    def admits_at_once(self, brought: Credentials, model: str) -> bool:
        """True where :meth:`admit` would let *brought* in without waiting for anybody: then it is in, and counted.

        False where it would wait or refuse; nothing is counted then, and :meth:`admit` decides.
        """
        try:
            principal = self._known(brought)
        except (NotAuthentic, RequestProblem):
            return False
        if principal is None or not access_rules.opens(principal.models, model):
            return False
        if not self._rates.has_room_at_once(principal.name):
            return False
        self._count("let in")
        return True

    def _known(self, brought: Credentials) -> Principal | None:
        """Who asks, where that is proven by what is known here. Raises NotAuthentic or RequestProblem where it is none."""
        credential = _credential(brought.headers)
        if credential is None:
            return self._by_proxy(brought)
        name = access_rules.key_name(credential)
        return self._remembered(credential) if name is None else self._by_key(credential, name)

    def _by_proxy(self, brought: Credentials) -> Principal | None:
        for networks, proxy in self._proxies:
            if proxy.header is not None and _within(brought.peer, networks):
                name = _said(brought.headers, proxy.header)
                if name:
                    return Principal(name, frozenset(proxy.models or ()), float("inf"))
        return None

    async def _proved(self, brought: Credentials) -> Principal:
        credential = _credential(brought.headers)
        if credential is not None:
            return await self._by_credential(credential, self._address(brought))
        if (principal := self._by_proxy(brought)) is not None:
            return principal
        self._count("no credentials")
        raise _unproven("no key or token came; send Authorization: Bearer <key or token>")

    async def _by_credential(self, credential: str, address: str) -> Principal:
        name = access_rules.key_name(credential)
        try:
            return self._by_key(credential, name) if name is not None else await self._by_token(credential, address)
        except NotAuthentic as error:
            self._count("expired" if error.expired else "not authentic")
            self._refuse_guessing(address)
            _log.warning("a caller at %s proves nothing: %s", address, error)
            text = "the key or token has expired" if error.expired else "the key or token is not taken"
            raise _unproven(text) from None

    def _by_key(self, text: str, name: str) -> Principal:
        digest, found = access_rules.key_digest(text), None
        # As long for a name that nobody has, and for each key of one: nothing is learnt from the time it takes.
        for key in self._keys.get(name) or ():
            if hmac.compare_digest(digest, key.digest):
                found = key
        if found is None:
            hmac.compare_digest(digest, _NOBODYS)
            raise NotAuthentic(f"no key of {shown(name)} is this one")
        expires = float("inf") if found.expires is None else found.expires.timestamp()
        if self._clock() >= expires:
            raise NotAuthentic(f"the key of {name!r} expired on {found.expires:%Y-%m-%d %H:%M} UTC", expired=True)
        return Principal(name, frozenset(found.models), expires)

    async def _by_token(self, token: str, address: str) -> Principal:
        now = self._clock()
        if (remembered := self._remembered(token)) is not None:
            return remembered
        if self._tokens is None:
            raise NotAuthentic("a token came, and access.yaml names no issuers")
        # Proving one costs far more than refusing it.
        self._refuse_guessing(address, counted=False)
        try:
            claims = await self._tokens.of(token)
        except errors.TryAgain as error:
            self._count("unproven")
            _log.warning("tokens cannot be proven: %s", error)
            raise RequestProblem(503, "tokens cannot be proven right now; try again", retry_after=5) from error
        principal = Principal(claims.principal, claims.models, claims.expires)
        self._proven[token] = (principal, now + TOKEN_SECONDS)
        if len(self._proven) > MOST_TOKENS:
            self._proven.popitem(last=False)
        return principal

    def _remembered(self, token: str) -> Principal | None:
        """Who *token* was proven to be not long ago. Raises NotAuthentic where it has expired since."""
        now = self._clock()
        principal, until = self._proven.get(token, (None, 0.0))
        if principal is None or abs(until - now) > TOKEN_SECONDS or now >= until:
            return None
        if now >= principal.expires:
            raise NotAuthentic(f"the token of {shown(principal.name)} has expired", expired=True)
        return principal

    def _refuse_guessing(self, address: str, *, counted: bool = True) -> None:
        """Raises RequestProblem (429) where too much came from *address* that proves nothing."""
        wait = self._rates.of_failures(address, counted=counted)
        if wait:
            self._count("too many failures")
            message = "too many keys or tokens came that are not taken"
            raise RequestProblem(429, message, retry_after=retry_after(wait))

    def _address(self, brought: Credentials) -> str:
        """The address that the caller has: the last one that no trusted proxy wrote."""
        address = brought.peer
        forwarded = [part.strip() for part in brought.headers.get("x-forwarded-for", "").split(",")]
        while forwarded and any(_within(address, networks) for networks, _ in self._proxies):
            said = forwarded.pop()
            if not _is_address(said):
                break
            address = said
        return address


class _TokenProofs:
    """Proves tokens beside the event loop, few at once: a provider that hangs keeps nobody waiting who does not ask by its tokens."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._threads = ThreadPoolExecutor(PROVED_AT_ONCE, thread_name_prefix="tokens")
        self._breaker = CircuitBreaker()

    async def of(self, token: str) -> TokenClaims:
        """See the verifier's port. Raises TryAgain, too, where it takes too long, or did several times in a row."""
        if self._breaker.refuses():
            raise errors.TryAgain("nobody could say several times in a row, and is asked again in a second")
        try:
            async with asyncio.timeout(PROOF_SECONDS):
                claims = await asyncio.get_running_loop().run_in_executor(self._threads, self._verifier.verify, token)
        except NotAuthentic:
            self._breaker.succeeded()
            raise
        except (errors.TryAgain, TimeoutError) as error:
            self._breaker.failed()
            raise errors.TryAgain(str(error) or f"it takes longer than {PROOF_SECONDS:g} s") from error
        self._breaker.succeeded()
        return claims


class _Rates:
    """Counts principals by the shared counter, or here where that is not to be had; failures always here."""

    def __init__(self, limits: access_rules.RateLimits, shared: RateLimiter | None, local: RateCounter) -> None:
        self._limits = limits
        self._shared = shared
        self._local = local
        self._breaker = CircuitBreaker()

    async def of_principal(self, name: str) -> float:
        """Count a request of *name*; returns the seconds to wait."""
        rate = self._limits.of(name)
        if self._shared is None or self._breaker.refuses():
            return self._local.hit_now(name, rate)
        try:
            async with asyncio.timeout(SHARED_SECONDS):
                wait = await self._shared.hit(name, rate)
        except (errors.TryAgain, TimeoutError) as error:
            self._breaker.failed()
            _log.warning("rates are counted by each replica alone: %s", error or "the shared counter does not answer")
            return self._local.hit_now(name, rate)
        self._breaker.succeeded()
        return wait

    def has_room_at_once(self, name: str) -> bool:
        """Count a request of *name*, where rates are counted here alone and it has room; else False, and nothing is counted."""
        rate = self._limits.of(name)
        return self._shared is None and not self._local.spent(name, rate) and not self._local.hit_now(name, rate)

    def of_failures(self, address: str, *, counted: bool) -> float:
        """Seconds to wait for *address*, which failed just now where that is *counted*."""
        key = f"failures {address}"
        return (self._local.hit_now if counted else self._local.spent)(key, self._limits.failures)


def _unproven(text: str) -> RequestProblem:
    return RequestProblem(401, text, headers=[(b"www-authenticate", b'Bearer realm="argosy"')])


def _credential(headers: Mapping[str, str]) -> str | None:
    """The key or token that came; None where none did. Raises RequestProblem (401) for one that no rule can be about."""
    said = headers.get("authorization")
    if said is None:
        return headers.get("x-api-key")
    kind, _, credential = said.partition(" ")
    credential = credential.strip()
    if kind.lower() != "bearer" or not credential or len(credential) > LONGEST_CREDENTIAL:
        raise _unproven("expected Authorization: Bearer <key or token>")
    return credential


def _said(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    if value is None or name != "x-forwarded-client-cert":
        return value
    # Envoy: proxies append, so the last certificate is the one that our own proxy saw.
    parts = value.rsplit(",", 1)[-1].split(";")
    return next((part.partition("=")[2].strip('"') for part in parts if part.strip().lower().startswith("uri=")), None)


def _networks(proxy: TrustedProxy) -> tuple[IpNetwork, ...]:
    return tuple(ipaddress.ip_network(text) for text in proxy.networks)


@lru_cache(maxsize=4096)
def _within(address: str, networks: tuple[IpNetwork, ...]) -> bool:
    if not _is_address(address):
        return False
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
