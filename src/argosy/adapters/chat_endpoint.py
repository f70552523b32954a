"""Asks an endpoint that speaks the protocol of OpenAI's chat completions, whoever serves it.

The key goes to one host alone, and never in clear over a network: no redirection is followed. What comes back is read up to a length;
tokens are as the endpoint counts.
"""

import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from argosy import errors
from argosy.domain.answers.answer_settings import Chat
from argosy.domain.answers.judged import Completed
from argosy.ports.prompt_completion import EndpointBusy

LONGEST = 4 * 2**20
"""Bytes of one response."""
ATTEMPTS = 4
LONGEST_PAUSE = 30.0
"""Seconds that an endpoint may ask for before another attempt; one that asks for more fails the step, which Argo tries again later."""
GIVEN_LATER = {408, 409, 425, 429}
"""Beside all from 500 on, among them those that only some providers and proxies give, such as 529."""
BROKEN_OFF = (http.client.HTTPException, OSError)


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(default=0, ge=0)


class _Response(BaseModel):
    """What is read of a response; all else is the endpoint's own business."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _Later(Exception):
    """What may succeed on another attempt; *seconds* as the endpoint asks for."""

    def __init__(self, what: str, seconds: float | None = None) -> None:
        super().__init__(what)
        self.seconds = seconds


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """None: urllib would send the key along."""
        return


class ChatEndpoint:
    """The endpoint of *settings*, with *key* where it wants one; see :class:`argosy.ports.prompt_completion.Completion`."""

    def __init__(
        self, settings: Chat, key: str | None, sleep: Callable[[float], None] = time.sleep, attempts: int = ATTEMPTS
    ) -> None:
        """*attempts*: at one completion, before it is given up."""
        if key and not _is_private(settings.endpoint):
            raise errors.Misconfigured(
                f"endpoint {settings.endpoint!r} would be sent the key in clear: use https://, or unset ARGOSY_CHAT_KEY where it wants none"
            )
        self._settings = settings
        self._key = key
        self._sleep = sleep
        self._attempts = attempts
        self._opener = urllib.request.build_opener(_NoRedirects)

    def complete(self, prompt: str) -> Completed:
        """See the port."""
        body = {
            "model": self._settings.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": self._settings.temperature,
            "max_tokens": self._settings.max_tokens,
        }
        for attempt in range(1, self._attempts + 1):
            try:
                return self._asked(json.dumps(body).encode())
            except _Later as later:
                pause = 2.0 ** (attempt - 1) if later.seconds is None else later.seconds
                if attempt == self._attempts or pause > LONGEST_PAUSE:
                    times = "once" if attempt == 1 else f"{attempt} times"
                    raise EndpointBusy(f"{self._address} {later}; it was asked {times}", later.seconds) from None
                self._sleep(pause)
        raise LookupError("the last attempt returns or raises")

    @property
    def _address(self) -> str:
        return f"{self._settings.endpoint.rstrip('/')}/chat/completions"

    def _asked(self, body: bytes) -> Completed:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        began = time.perf_counter()
        request = urllib.request.Request(self._address, data=body, headers=headers, method="POST")  # noqa: S310 - settings allow http(s)
        try:
            with self._opener.open(request, timeout=self._settings.timeout_seconds) as response:
                content = response.read(LONGEST + 1)
        except urllib.error.HTTPError as error:
            raise self._refused(error) from None
        except urllib.error.URLError as error:
            raise _Later(f"does not answer: {error.reason}") from None
        except BROKEN_OFF as error:
            raise _Later(f"broke off: {error or type(error).__name__}") from None
        if len(content) > LONGEST:
            raise errors.Misconfigured(
                f"{self._address} answers with more than {LONGEST >> 20} MiB; a completion is far smaller"
            )
        return self._read(content, time.perf_counter() - began)

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        with error:
            try:
                said = error.read(2000).decode(errors="replace")
            except BROKEN_OFF as broken:  # the status alone says what to do
                said = f"(its words broke off: {broken or type(broken).__name__})"
        # A provider may repeat what it was sent.
        words = " ".join((said.replace(self._key, "…") if self._key else said).split())[:300]
        if error.code in GIVEN_LATER or error.code >= 500:
            return _Later(f"answers {error.code}: {words}", _seconds(error.headers.get("Retry-After")))
        if error.code in (401, 403):
            how = "has no key" if not self._key else "is refused the key"
            return errors.Misconfigured(
                f"{self._address} answers {error.code}, and Argosy {how}: set ARGOSY_CHAT_KEY (Secret argosy-chat): {words}"
            )
        return errors.Misconfigured(
            f"{self._address} answers {error.code}; see `endpoint` and `model` of model.yaml: {words}"
        )

    def _read(self, content: bytes, seconds: float) -> Completed:
        try:
            found = _Response.model_validate_json(content)
        except ValidationError as error:
            first: Any = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise errors.Misconfigured(
                f"{self._address} answers with no chat completion ({f'{where}: ' if where else ''}{first['msg']}); see `endpoint`"
            ) from None
        if found.usage is None:
            raise errors.Misconfigured(
                f"{self._address} does not say how many tokens it counted (`usage`): without it nobody knows what a question costs"
            )
        usage = found.usage
        text = found.choices[0].message.content or ""
        return Completed(
            text=text, input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, seconds=seconds
        )


def host(endpoint: str) -> tuple[str, int | None]:
    """Host and port of *endpoint*: whom a key is for. Raises Misconfigured where it names none."""
    try:
        parts = urllib.parse.urlsplit(endpoint)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise errors.Misconfigured(f"endpoint {endpoint!r} is no address: {error}") from None
    if not parts.hostname:
        raise errors.Misconfigured(f"endpoint {endpoint!r} names no host; expected such as https://llm.example.com/v1")
    return parts.hostname, port


def _is_private(endpoint: str) -> bool:
    """Whether nobody on a network can read what is sent to *endpoint*."""
    name, _ = host(endpoint)
    if urllib.parse.urlsplit(endpoint).scheme == "https" or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _seconds(header: str | None) -> float | None:
    """What Retry-After asks for, where it is a number."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
