"""Artifacts behind URLs: loaded with GET, saved with PUT. Only http and https."""

import base64
import http.client
import json
import re
import ssl
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.artifacts.secrets import Secrets, one
from argosy.engine.state import trees

PRIVATE = ("authorization", "cookie")
"""Headers that are not sent on where the server points elsewhere."""

PATIENCE = 60
"""Seconds without an answer, or without another byte of one."""


def load(location: Mapping[str, Any], target: Path, secrets: Secrets) -> None:
    """Load what is at the ``http`` *location* to the file *target*."""
    request = _request(location, secrets)
    with _answer(request, location, secrets) as answer:
        trees.save(answer, target)


def save(location: Mapping[str, Any], source: Path, secrets: Secrets) -> None:
    """Put the file *source* at the ``http`` *location*. Raises ArtifactFailure where it is a folder."""
    if source.is_dir():
        raise ArtifactFailure(f"a folder cannot be saved to {location['url']}; archive it")
    with source.open("rb") as content:
        request = _request(location, secrets, method="PUT", data=content)
        request.add_header("Content-Length", str(source.stat().st_size))
        _answer(request, location, secrets).close()


def _request(location: Mapping[str, Any], secrets: Secrets, **given: Any) -> urllib.request.Request:
    url = location["url"]
    if not re.fullmatch(r"https?://[!-~]+", url, re.IGNORECASE):
        raise ArtifactFailure(f"{url!r} is not an http or https URL")
    try:
        request = urllib.request.Request(url, **given)  # noqa: S310 - looked at above
    except ValueError as error:
        raise ArtifactFailure(f"{url!r} is no URL: {error}") from None
    for header in location.get("headers") or []:
        add = request.add_unredirected_header if header["name"].lower() in PRIVATE else request.add_header
        add(header["name"], header["value"])
    if authorization := _authorization(location.get("auth") or {}, secrets):
        request.add_unredirected_header("Authorization", authorization)
    return request


def _authorization(auth: Mapping[str, Any], secrets: Secrets) -> str | None:
    basic = auth.get("basicAuth") or {}
    user, password = one(basic.get("usernameSecret"), secrets), one(basic.get("passwordSecret"), secrets)
    if user and password:
        return _basic(user, password)
    client = auth.get("oauth2") or {}
    return f"Bearer {_token(client, secrets)}" if client.get("tokenURLSecret") else None


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _token(client: Mapping[str, Any], secrets: Secrets) -> str:
    """A token by OAuth's client credentials grant."""
    url = one(client["tokenURLSecret"], secrets) or ""
    fields = {"grant_type": "client_credentials"}
    if scopes := client.get("scopes"):
        fields["scope"] = " ".join(scopes)
    fields |= {entry["key"]: entry.get("value") or "" for entry in client.get("endpointParams") or []}
    request = _request({"url": url}, secrets, data=urllib.parse.urlencode(fields).encode())
    name = one(client.get("clientIDSecret"), secrets) or ""
    word = one(client.get("clientSecretSecret"), secrets) or ""
    request.add_unredirected_header("Authorization", _basic(urllib.parse.quote(name), urllib.parse.quote(word)))
    with _answer(request, {"url": "the token URL"}, secrets) as answer:
        try:
            return str(json.load(answer)["access_token"])
        except (ValueError, KeyError, TypeError):
            raise ArtifactFailure("the token URL did not answer with a token") from None


def _answer(request: urllib.request.Request, location: Mapping[str, Any], secrets: Secrets) -> Any:
    context = _context((location.get("auth") or {}).get("clientCert") or {}, secrets)
    try:
        return urllib.request.urlopen(request, timeout=PATIENCE, context=context)  # noqa: S310 - looked at in _request
    except urllib.error.HTTPError as error:
        error.close()
        status = f"{error.code} {error.reason}"
        if error.code == HTTPStatus.NOT_FOUND:
            raise ArtifactMissing(status) from None
        doing = "saving to" if request.get_method() == "PUT" else "loading content from"
        raise ArtifactFailure(f"{doing} {location['url']} failed with reason: {status}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ArtifactFailure(f"{location['url']}: {reason}") from None


def _context(certificate: Mapping[str, Any], secrets: Secrets) -> ssl.SSLContext | None:
    """Encryption with a certificate of our own, where one is given."""
    public, private = (
        one(certificate.get("clientCertSecret"), secrets),
        one(certificate.get("clientKeySecret"), secrets),
    )
    if not public or not private:
        return None
    context = ssl.create_default_context()
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:  # readable by its owner only
        pair.write(f"{public}\n{private}\n")
        pair.flush()
        try:
            context.load_cert_chain(pair.name)
        except ssl.SSLError as error:
            raise ArtifactFailure(f"the client certificate cannot be used: {error.reason}") from None
    return context
