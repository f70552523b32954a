"""Every notifier holds the contract; what Apprise does with addresses, answers and silence is below, on servers that others wrote too."""

import contextlib
import email
import email.policy
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from argosy.adapters.apprise_notifier import AppriseNotifier
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.ports.notifier import Delivery, Notifier
from argosy.report import notice_message
from argosy.testing.notifier_contract import Arrived, NotifierContract, notice
from kit.web_server import Answer, Web, web_server

PLANTED = "hunter2-Token-9f8e7d"


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What a program sees that writes down all of its log. Not ``caplog``, which listens to loggers that hand nothing on."""
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


class TestMemoryNotifier(NotifierContract):
    """The fake that other tests use."""

    @pytest.fixture
    def notifier(self) -> MemoryNotifier:
        """One whose channel ``closed`` fails."""
        return MemoryNotifier(failing={"closed": Delivery("refused", "answered 404")}, unknown=["nobody"])

    @pytest.fixture
    def inbox(self, notifier: MemoryNotifier) -> Arrived:
        """As a person would see it."""
        return lambda: [_text(notices) for _, notices in notifier.messages]


class TestWebhook(NotifierContract):
    """Apprise's JSON webhook."""

    @pytest.fixture
    def web(self) -> Iterator[Web]:
        """A server that takes what comes to one path."""
        with web_server({"/open": Answer()}) as web:
            yield web

    @pytest.fixture
    def notifier(self, web: Web) -> Notifier:
        """It knows one path that is there, and one that is not."""
        return _notifier(open=f"{_json(web)}/open", closed=f"{_json(web)}/{PLANTED}")

    @pytest.fixture
    def inbox(self, web: Web) -> Arrived:
        """The fields of the posted objects."""
        return lambda: ["\n".join(map(str, json.loads(asked.body).values())) for asked in web.asked]


class MailDrop:
    """The handler of aiosmtpd that keeps what it takes, and takes nothing for ``closed@``."""

    def __init__(self) -> None:
        self.letters: list[str] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """No mailbox for ``closed``."""
        if address.startswith("closed"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep it, as a reader sees it."""
        assert isinstance(envelope.content, bytes)
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append(f"{letter['subject']}\n{letter.get_body(('plain', 'html')).get_content()}")
        return "250 OK"


class TestMail(NotifierContract):
    """A mail server that others wrote."""

    @pytest.fixture
    def drop(self) -> MailDrop:
        """Its mailboxes."""
        return MailDrop()

    @pytest.fixture
    def notifier(self, drop: MailDrop) -> Iterator[Notifier]:
        """It writes to two mailboxes, of which one is there."""
        controller = Controller(drop, hostname="127.0.0.1", port=_free_port())
        controller.start()
        at = f"mailto://127.0.0.1:{controller.port}?from=argosy@models.example&mode=insecure&to="
        try:
            yield _notifier(open=f"{at}open@models.example", closed=f"{at}closed@models.example")
        finally:
            controller.stop()

    @pytest.fixture
    def inbox(self, drop: MailDrop) -> Arrived:
        """Subject and text."""
        return lambda: drop.letters

    def test_no_such_mailbox_is_certain(self, notifier: Notifier) -> None:
        """The server's own word; it is not asked again at once."""
        assert notifier.send("closed", [notice()]) == Delivery("refused", "answered 550")


@pytest.mark.parametrize(
    ("status", "outcome", "asked"),
    [
        pytest.param(404, "refused", 1, id="gone"),
        pytest.param(401, "refused", 1, id="a-token-that-was-taken-back"),
        pytest.param(429, "refused", 3, id="too-many-requests"),
        pytest.param(503, "refused", 3, id="not-now"),
        pytest.param(500, "unknown", 1, id="it-may-have-arrived"),
        pytest.param(502, "unknown", 1, id="a-proxy-that-lost-the-answer"),
        pytest.param(301, "refused", 1, id="moved"),
    ],
)
def test_only_what_can_succeed_is_tried_again(status: int, outcome: str, asked: int) -> None:
    """A server that said that it took nothing, and might later, is asked again; one that may have taken it is not."""
    pauses: list[float] = []
    with web_server({"/hook": Answer(status=status, location="/elsewhere"), "/elsewhere": Answer()}) as web:
        delivery = _notifier(team=f"{_json(web)}/hook?retry=5", wait=pauses.append).send("team", [notice()])
        assert (delivery.outcome, str(status) in delivery.reason) == (outcome, True)
        assert [request.path for request in web.asked] == ["/hook"] * asked
    assert len(pauses) == asked - 1


def test_a_moved_webhook_is_no_success() -> None:
    """A POST that is redirected is sent on as a GET: it is answered, and nobody was told. Whatever the address asks for."""
    with web_server({"/hook": Answer(status=302, location="/page"), "/page": Answer(b"welcome")}) as web:
        delivery = _notifier(team=f"{_json(web)}/hook?redirect=yes").send("team", [notice()])
        assert delivery == Delivery("refused", "answered 302")
        assert [request.method for request in web.asked] == ["POST"]


@pytest.mark.parametrize(
    "address", ["json://127.0.0.1:{port}/hook", "mailto://127.0.0.1:{port}?from=a@b.example&mode=insecure"]
)
def test_nobody_there_is_certain(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection took nothing. It is tried again, because servers start again."""
    monkeypatch.setattr("apprise.NotifyBase.throttle", lambda *_args, **_rest: None)
    pauses: list[float] = []
    delivery = _notifier(team=address.format(port=_free_port()), wait=pauses.append).send("team", [notice()])
    assert delivery == Delivery("refused", "it cannot be reached")
    assert len(pauses) == 2


def test_a_text_cannot_pretend_an_answer() -> None:
    """What decides about another attempt is what happened, not what a notice says."""
    said = "Socket Exception: NewConnectionError: Connection refused, error=503 (450, b'busy')"
    with web_server({"/hook": Answer(status=500)}) as web:
        assert _notifier(team=f"{_json(web)}/hook").send("team", [notice(title=said, text=said)]).outcome == "unknown"
        assert len(web.asked) == 1


def test_who_never_answers_is_left(logged: list[str]) -> None:
    """A server that sends a byte now and then keeps each read alive for ever; it is given up, and what it got is not sent twice."""
    with _dripping() as port:
        began = time.monotonic()
        delivery = AppriseNotifier({"team": f"json://127.0.0.1:{port}/{PLANTED}"}, longest=0.5).send("team", [notice()])
    assert delivery == Delivery("unknown", "no answer within 0.5 s")
    assert time.monotonic() - began < 10
    assert PLANTED not in str(logged)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(f"https:/{PLANTED}", id="half-a-scheme"),
        pytest.param(f"nonsense://{PLANTED}", id="unknown-scheme"),
        pytest.param(f"slack://{PLANTED}", id="too-few-parts"),
        pytest.param(f"mailto://{PLANTED}:x:y", id="no-port"),
        pytest.param(PLANTED, id="no-scheme"),
        pytest.param(f"json://[{PLANTED}", id="open-bracket"),
        pytest.param(" \x00 ", id="blank"),
        pytest.param("json://" + "a" * 100_000 + PLANTED, id="endless"),
    ],
)
def test_an_address_that_is_none_says_which_setting_to_mend(
    address: str, capfd: pytest.CaptureFixture[str], logged: list[str]
) -> None:
    """The reason names the variable and nothing of its value, which may be most of a token; no log has it either."""
    delivery = _notifier(team_a=address).send("team-a", [notice()])
    assert delivery.outcome == "refused"
    assert "ARGOSY_NOTIFY_TEAM_A" in delivery.reason
    shown = "".join(capfd.readouterr()) + str(logged) + delivery.reason
    assert PLANTED not in shown


def test_an_address_nobody_can_be_at_is_no_crash() -> None:
    """Apprise takes a port that no machine has; what comes of it is an answer."""
    assert _notifier(team="json://127.0.0.1:99999/x").send("team", [notice()]).outcome != "sent"


@pytest.mark.parametrize("status", [200, 404, 500])
def test_no_log_has_an_address(status: int, capfd: pytest.CaptureFixture[str], logged: list[str]) -> None:
    """Whether it was taken or not, at every level: addresses hold tokens."""
    with web_server({f"/{PLANTED}": Answer(status=status)}) as web:
        delivery = _notifier(team=f"{_json(web)}/{PLANTED}").send("team", [notice()])
    assert PLANTED not in "".join(capfd.readouterr()) + str(logged) + delivery.reason


@pytest.mark.parametrize(
    ("scheme", "path"),
    [
        pytest.param("slack", "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", id="slack"),
        pytest.param("discord", "/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", id="discord"),
        pytest.param("mmost", "/hooks/3ccdd113474722377935511fc85d3dd4", id="mattermost"),
    ],
)
def test_a_text_calls_nobody_in_a_chat(scheme: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes a step fail chooses words of its message; they must not ring everybody's bell."""
    said = "<!channel> <!here|x> @everyone @here <@U024BE7LH> <!subteam^S1> &lt;!channel&gt;"
    with web_server({path: Answer(b"ok")}) as web:
        place = web.url.removeprefix("http://")
        _send_to(place, monkeypatch)
        token = path.removeprefix("/services").removeprefix("/api/webhooks").removeprefix("/hooks").strip("/")
        address = f"mmost://{place}/{token}" if scheme == "mmost" else f"{scheme}://{token}"
        assert _notifier(team=address).send("team", [notice(title=f"t {said}", text=said)]).outcome == "sent"
        sent = web.asked[0].body.decode()
    for call in ("<!", "@everyone", "@here", "<@U", "@channel"):
        assert call not in sent


def _send_to(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what is meant for a chat's own servers to *place*."""
    import requests

    genuine = requests.Session.send

    def redirected(session: requests.Session, request: requests.PreparedRequest, **rest: Any) -> requests.Response:
        scheme, _, tail = str(request.url).partition("://")
        request.url = f"http://{place}/{tail.partition('/')[2].partition('?')[0]}" if scheme == "https" else request.url
        return genuine(session, request, **rest)

    monkeypatch.setattr(requests.Session, "send", redirected)


def _notifier(wait: Callable[[float], None] | None = None, **addresses: str) -> AppriseNotifier:
    by_channel = {name.replace("_", "-"): address for name, address in addresses.items()}
    return AppriseNotifier(by_channel, wait=wait or (lambda _seconds: None))


def _json(web: Web) -> str:
    return web.url.replace("http://", "json://")


def _text(notices: Sequence[Any]) -> str:
    message = notice_message.of(notices)
    return f"{message.title}\n{message.text}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _dripping() -> Iterator[int]:
    """A server that begins an answer and never ends it; its port."""
    over = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                while not over.wait(0.05):
                    connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            thread.join()
