"""A GitHub App's way in: a token for one repository, contents and pull requests, for less than an hour, and a new one before it ends."""

import threading
import time
from collections.abc import Callable

import github
import jwt
from github.GithubException import GithubException

from argosy import errors
from argosy.adapters.hosted_forge import connection

RIGHTS = {"contents": "write", "pull_requests": "write"}
"""All that requests need, whatever more the app may do elsewhere."""
LIFETIME_SECONDS = 3600.0
RENEWED_AFTER = 0.8
"""Share of a token's life after which it is replaced: a call that begins then still ends in time."""


class InstallationToken(github.Auth.Auth):
    """The token of an app where it is installed on *repository*, minted when it is first used."""

    def __init__(
        self, repository: str, app: str, key: str, *, api: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """*app*: its id, or its client id. *key*: its private key (PEM)."""
        self._repository, self._api, self._clock = repository, api, clock
        self._app = github.Auth.AppAuth(app, key)
        self._lock = threading.Lock()
        self._minted: tuple[str, float] | None = None

    @property
    def token_type(self) -> str:
        """How it is handed over."""
        return "token"

    @property
    def token(self) -> str:
        """A token that lasts for a while yet. Raises Misconfigured where GitHub gives none, TryAgain where it cannot be asked."""
        with self._lock:
            if self._minted is None or self._clock() - self._minted[1] > RENEWED_AFTER * LIFETIME_SECONDS:
                self._minted = self._mint(), self._clock()
            return self._minted[0]

    def forget(self) -> None:
        """Forget the token, which GitHub takes no more."""
        with self._lock:
            self._minted = None

    def _mint(self) -> str:
        client = github.Github(
            auth=self._app,
            base_url=self._api,
            timeout=connection.TIMEOUT_SECONDS,
            retry=connection.LimitRetry.patient(),
        )
        wanted = {"repositories": [self._repository.partition("/")[2]], "permissions": RIGHTS}
        try:
            _, installation = client.requester.requestJsonAndCheck("GET", f"/repos/{self._repository}/installation")
            address = f"/app/installations/{installation['id']}/access_tokens"
            _, minted = client.requester.requestJsonAndCheck("POST", address, input=wanted)
        except GithubException as error:
            raise self._refusal(error) from error
        except OSError as error:  # all that requests raises, of files too
            raise connection.failure("GitHub", error) from error
        except (ValueError, jwt.PyJWTError) as error:
            # What the library says of a key may show a part of it.
            raise errors.Misconfigured(
                "ARGOSY_FORGE_APP_KEY is no private key (PEM); download one from the app's settings page, and set it whole"
            ) from error
        return str(minted["token"])

    def _refusal(self, error: GithubException) -> errors.ArgosyError:
        if error.status >= 500 or error.status == 429:
            return errors.TryAgain(f"GitHub gives the app no token: {error.status}; try again")
        if error.status == 401:
            return errors.Misconfigured(
                "GitHub refuses the app: ARGOSY_FORGE_APP_ID and ARGOSY_FORGE_APP_KEY are not of one app, or this machine's clock is wrong"
            )
        if error.status == 404:
            return errors.Misconfigured(
                f"the app that ARGOSY_FORGE_APP_ID names is not installed on {self._repository}; install it there"
            )
        return errors.Misconfigured(
            f"GitHub gives the app no token for {self._repository} ({error.status}): it must be allowed contents and pull requests, read "
            "and write, and its installation must have accepted that"
        )
