"""The contract suite of what tells people."""

from collections.abc import Sequence
from typing import Protocol

from argosy.domain.notices import Event, Notice
from argosy.ports.notifier import Notifier


def notice(key: str = "run-1", event: Event = "step failed", **given: str) -> Notice:
    """A notice for the channels of a fixture: ``open`` takes it, ``closed`` does not."""
    return Notice(
        event=event,
        model="toy",
        owner="tests",
        title=given.get("title", f"toy: {key}"),
        text=given.get("text", ""),
        link=given.get("link"),
        key=key,
        channels=("closed", "open"),
    )


class Arrived(Protocol):
    """What arrived at the channel ``open``: a text a message, title included."""

    def __call__(self) -> Sequence[str]: ...


class NotifierContract:
    """Inherit, and provide fixtures ``notifier`` and ``inbox``; it knows the channels ``open`` and ``closed`` and no other."""

    def test_what_is_sent_arrives(self, notifier: Notifier, inbox: Arrived) -> None:
        """Title, text and link, in one message."""
        sent = notifier.send(
            "open", [notice(title="toy: train failed", text="exit code 10", link="https://argo.example/r")]
        )
        assert sent.outcome == "sent"
        assert len(inbox()) == 1
        for part in ("toy: train failed", "exit code 10", "https://argo.example/r"):
            assert part in inbox()[0]

    def test_several_are_one_message(self, notifier: Notifier, inbox: Arrived) -> None:
        """What happened at one moment is told at once."""
        notifier.send("open", [notice("first"), notice("second")])
        assert len(inbox()) == 1
        assert "toy: first" in inbox()[0]
        assert "toy: second" in inbox()[0]

    def test_a_failure_is_an_answer(self, notifier: Notifier) -> None:
        """It raises nothing, and says why in one line."""
        refused = notifier.send("closed", [notice()])
        assert refused.outcome in ("refused", "unknown")
        assert refused.reason
        assert "\n" not in refused.reason

    def test_channels_without_an_address_are_known_for_it(self, notifier: Notifier) -> None:
        """So that nobody claims what cannot be told from here."""
        assert notifier.knows("open")
        assert notifier.knows("closed")
        assert not notifier.knows("nobody")
