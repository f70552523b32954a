"""The way to a server over HTTP: what it says about waiting is kept, and what goes wrong on the way has a name and a next command."""

from typing import Any, Self

import urllib3
from urllib3.exceptions import MaxRetryError, ResponseError

from argosy import errors, network

TIMEOUT_SECONDS = 20
LONGEST_WAIT_SECONDS = 60
"""From here on waiting is left to whoever retries the step: a pod that sleeps costs as much as one that works."""
WAITS = 3
LIMITED = frozenset({403, 429})


class LimitRetry(urllib3.Retry):
    """Waits as long as a server asks for that refuses for the number of calls, and asks again; repeats nothing for any other reason.

    What a limit refused was not done. After any other failure it may have been: the step is retried as a whole, and finds what it did.
    """

    RETRY_AFTER_STATUS_CODES = LIMITED

    @classmethod
    def patient(cls) -> Self:
        """One that waits a few times."""
        return cls(
            total=WAITS,
            connect=0,
            read=0,
            redirect=0,
            other=0,
            status_forcelist=LIMITED,
            allowed_methods=None,
            raise_on_status=False,
        )

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        """See urllib3: raising MaxRetryError here hands the answer out as it is."""
        if response is not None:
            wait = self.get_retry_after(response)
            if wait is None or wait > LONGEST_WAIT_SECONDS:
                raise MaxRetryError(_pool, url or "", ResponseError("not to be repeated"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


def failure(server: str, error: OSError) -> errors.ArgosyError:
    """What to say where *server* could not be talked to. Addresses stay out of it: that of a proxy may hold a password."""
    return network.fault(server, error) or errors.TryAgain(
        f"{server} cannot be reached: {type(error).__name__}; try again"
    )
