"""Tells people through Apprise: mail, chats, pagers and webhooks, each by an address of one line.

Apprise answers yes or no. A no may stand for a message that arrived all the same, such as one whose answer came too late, and to try again
would tell it twice. So what it logged of the attempt is read: only where that shows that nothing was taken is it tried again, here or by
whoever sees the event next. Addresses hold tokens: nothing that Apprise logs goes anywhere.

It takes a second or two to load, so it is loaded when there is something to tell.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from argosy.domain.channel_addresses import variable
from argosy.domain.notices import Notice
from argosy.ports.notifier import Delivery
from argosy.report import notice_message

if TYPE_CHECKING:
    from apprise import NotifyBase
    from apprise.result import AppriseResult

LONGEST = 30.0
"""Seconds that one attempt may take, beyond the limits that Apprise has on connecting and on each read."""
PAUSES = (1.0, 5.0)
"""Seconds before the second attempt, and before the third."""

_STATUS = re.compile(r"\berror=(\d{3})\b")
_EXCEPTION = "Socket Exception: "
"""What all of Apprise's plugins write before the text of an exception. Other lines of this level repeat the message itself."""
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeoutError|NameResolutionError|Connection refused|Name or service not known"
    r"|Temporary failure in name resolution|No route to host|Network is unreachable"
)
"""Words for a connection that never was, as urllib3 and the system have them."""
_SMTP_REPLY = re.compile(r"\(([45]\d\d), b['\"]")
"""A mail server's no. One that begins with 4 is for now."""
_BUSY = frozenset({429, 503})
"""Answers with which a server says that it took nothing, and might later. After 500, 502 and 504 nobody knows."""


class AppriseNotifier:
    """The notifier on Apprise."""

    def __init__(
        self, addresses: Mapping[str, str], *, wait: Callable[[float], None] = time.sleep, longest: float = LONGEST
    ) -> None:
        """*addresses*: by the channel's name. *wait*: how the time between attempts passes."""
        self._addresses = dict(addresses)
        self._wait = wait
        self._longest = longest
        # All of it is read here, and handed on to nobody: what it says of an attempt has the address in it.
        logger = logging.getLogger("apprise")
        logger.propagate = False
        logger.setLevel(logging.DEBUG)
        # Its debugging lines have the path of each request, which is a webhook's token.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    def knows(self, channel: str) -> bool:
        """See the port."""
        return channel in self._addresses

    def send(self, channel: str, notices: Sequence[Notice]) -> Delivery:
        """See the port."""
        try:
            service = _service(self._addresses[channel])
        except Exception as error:  # noqa: BLE001 - each of Apprise's plugins fails in ways of its own, in words that show the address
            return Delivery("refused", f"Apprise fails on the address in {variable(channel)}: {type(error).__name__}")
        if service is None:
            return Delivery("refused", f"{variable(channel)} holds no address that Apprise understands; mend it")
        for pause in PAUSES:
            delivery, busy = self._attempt(service, notices)
            if not busy:
                return delivery
            self._wait(pause)
        return self._attempt(service, notices)[0]

    def _attempt(self, service: NotifyBase, notices: Sequence[Notice]) -> tuple[Delivery, bool]:
        """The answer to one attempt, and whether another one soon can help."""
        answers: list[AppriseResult] = []
        # A thread that ends with the process: a server that answers a byte at a time holds it for ever.
        thread = threading.Thread(target=lambda: answers.append(_notify(service, notices)), daemon=True)
        thread.start()
        thread.join(self._longest)
        if not answers:
            return Delivery("unknown", f"no answer within {self._longest:g} s"), False
        return _judged(answers[0])


def _service(address: str) -> NotifyBase | None:
    # A redirected POST is sent on as a GET, which is answered and tells nobody anything.
    import apprise

    # Pictures would be fetched by whoever reads the message, from somewhere else.
    asset = apprise.AppriseAsset(
        async_mode=False, service_timeout=0, http_redirects=False, app_id="Argosy", image_url_mask="", image_url_logo=""
    )
    service = apprise.Apprise.instantiate(address, asset=asset)
    if service is not None:
        service.retry = 0  # after any failure, also one whose message arrived
        service.redirects = False
    return service


def _notify(service: NotifyBase, notices: Sequence[Notice]) -> AppriseResult:
    import apprise

    message = notice_message.of(notices)
    told = apprise.Apprise(services=[service], asset=service.asset)
    return told.notify(
        title=message.title,
        body=message.text,
        notify_type=apprise.NotifyType.WARNING if message.is_warning else apprise.NotifyType.INFO,
        body_format=apprise.NotifyFormat.TEXT,
        log_level=logging.DEBUG,
    )


def _judged(result: AppriseResult) -> tuple[Delivery, bool]:
    if result:
        return Delivery("sent"), False
    entries = [entry for service in result.results for entry in service.logs()]
    warnings = [entry.message for entry in entries if entry.level in ("WARNING", "ERROR")]
    raised = [entry.message for entry in entries if entry.message.startswith(_EXCEPTION)]
    statuses = [int(found) for line in warnings for found in _STATUS.findall(line)]
    replies = [int(found) for line in raised for found in _SMTP_REPLY.findall(line)]
    answered = f"answered {(statuses or replies)[-1]}" if statuses or replies else ""
    if any(entry.level == "INFO" for entry in entries):  # "Sent …": one of the address's several receivers has it
        return Delivery("unknown", f"not all of its receivers took it{answered and ': ' + answered}"), False
    if any(map(_UNREACHABLE.search, raised)):
        return Delivery("refused", "it cannot be reached"), True
    if replies or (statuses and all(status in _BUSY or 300 <= status < 500 for status in statuses)):
        return Delivery("refused", answered), all(400 <= reply < 500 for reply in replies) if replies else statuses[
            -1
        ] in _BUSY
    return Delivery("unknown", f"{answered or 'no clear answer'}; it may have arrived"), False
