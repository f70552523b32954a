"""A thread beside one that answers: it lets go of the interpreter's lock after each piece of its work."""

from types import SimpleNamespace

import pytest

from argosy import background


def test_a_thread_gives_way_once_it_has_worked_for_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not at every step: letting go takes as long as several of them."""
    now, pauses = [100.0], list[float]()
    clock = SimpleNamespace(perf_counter=lambda: now[0], sleep=pauses.append)
    monkeypatch.setattr(background, "time", clock)
    monkeypatch.setattr(background._last, "at", now[0])
    for _ in range(10):
        now[0] += background.PIECE_SECONDS / 4
        background.give_way()
    assert pauses == [0, 0]
