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
from http import HTTPStatus
from pathlib import Path
from typing import Any

from argosy import network
from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.artifacts.secrets import Secrets, one
from argosy.engine.manifest.artifact_model import ClientCertAuth, HTTPArtifact, HTTPAuth, OAuth2Auth
from argosy.engine.state import trees

PRIVATE = ("authorization", "cookie")
"""Headers that are not sent on where the server points elsewhere."""

PATIENCE = 60
"""Seconds without an answer, or without another byte of one."""


def load(location: HTTPArtifact, target: Path, secrets: Secrets) -> None:
    """Load what is at the ``http`` *location* to the file *target*."""
    request = _request(location, secrets)
    with _answer(request, location, secrets) as answer:
        trees.save(answer, target)


def save(location: HTTPArtifact, source: Path, secrets: Secrets) -> None:
    """Put the file *source* at the ``http`` *location*. Raises ArtifactFailure where it is a folder."""
    if source.is_dir():
        raise ArtifactFailure(f"a folder cannot be saved to {location.url}; archive it")
    with source.open("rb") as content:
        request = _request(location, secrets, method="PUT", data=content)
        request.add_header("Content-Length", str(source.stat().st_size))
        _answer(request, location, secrets).close()


def _request(location: HTTPArtifact, secrets: Secrets, **given: Any) -> urllib.request.Request:
    url = location.url
    if not re.fullmatch(r"https?://[!-~]+", url, re.IGNORECASE):
        raise ArtifactFailure(f"{url!r} is not an http or https URL")
    try:
        request = urllib.request.Request(url, **given)  # noqa: S310 - looked at above
    except ValueError as error:
        raise ArtifactFailure(f"{url!r} is no URL: {error}") from None
    for header in location.headers:
        add = request.add_unredirected_header if header.name.lower() in PRIVATE else request.add_header
        add(header.name, header.value)
    if authorization := _authorization(location.auth, secrets):
        request.add_unredirected_header("Authorization", authorization)
    return request


def _authorization(auth: HTTPAuth, secrets: Secrets) -> str | None:
    user, password = one(auth.basic.username_secret, secrets), one(auth.basic.password_secret, secrets)
    if user and password:
        return _basic(user, password)
    return f"Bearer {_token(auth.oauth2, secrets)}" if auth.oauth2.token_url_secret else None


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _token(client: OAuth2Auth, secrets: Secrets) -> str:
    """A token by OAuth's client credentials grant."""
    url = one(client.token_url_secret, secrets) or ""
    fields = {"grant_type": "client_credentials"}
    if client.scopes:
        fields["scope"] = " ".join(client.scopes)
    fields |= {entry.key: entry.value for entry in client.endpoint_params}
    request = _request(HTTPArtifact({"url": url}), secrets, data=urllib.parse.urlencode(fields).encode())
    name = one(client.client_id_secret, secrets) or ""
    word = one(client.client_secret_secret, secrets) or ""
    request.add_unredirected_header("Authorization", _basic(urllib.parse.quote(name), urllib.parse.quote(word)))
    with _answer(request, HTTPArtifact({"url": "the token URL"}), secrets) as answer:
        try:
            return str(json.load(answer)["access_token"])
        except (ValueError, KeyError, TypeError):
            raise ArtifactFailure("the token URL did not answer with a token") from None


def _answer(request: urllib.request.Request, location: HTTPArtifact, secrets: Secrets) -> Any:
    context = _context(location.auth.client_cert, secrets)
    try:
        return urllib.request.urlopen(request, timeout=PATIENCE, context=context)  # noqa: S310 - looked at in _request
    except urllib.error.HTTPError as error:
        error.close()
        status = f"{error.code} {error.reason}"
        if error.code == HTTPStatus.NOT_FOUND:
            raise ArtifactMissing(status) from None
        doing = "saving to" if request.get_method() == "PUT" else "loading content from"
        raise ArtifactFailure(f"{doing} {location.url} failed with reason: {status}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        host = urllib.parse.urlsplit(location.url).hostname
        fault = network.fault(str(host), error)
        raise ArtifactFailure(f"{location.url}: {fault or getattr(error, 'reason', error)}") from None


def _context(certificate: ClientCertAuth, secrets: Secrets) -> ssl.SSLContext | None:
    """Encryption with a certificate of our own, where one is given."""
    public, private = one(certificate.client_cert_secret, secrets), one(certificate.client_key_secret, secrets)
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
