"""Notices as one message for people: what mails, chats and pagers all show, a title and plain lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.domain.notices import BAD, Notice


@dataclass(frozen=True)
class NoticeMessage:
    """One message."""

    title: str
    text: str
    is_warning: bool
    """True where something of it went wrong."""


def of(notices: Sequence[Notice]) -> NoticeMessage:
    """*notices*, at least one, as one message."""
    warning = any(notice.event in BAD for notice in notices)
    if len(notices) == 1:
        return NoticeMessage(notices[0].title, "\n".join(_lines(notices[0])) or notices[0].title, warning)
    models = sorted({notice.model for notice in notices})
    title = f"{', '.join(models[:3])}{', …' if len(models) > 3 else ''}: {len(notices)} notices"
    return NoticeMessage(title, "\n\n".join("\n".join([notice.title, *_lines(notice)]) for notice in notices), warning)


def _lines(notice: Notice) -> list[str]:
    return [line for line in (notice.text, notice.link) if line]
