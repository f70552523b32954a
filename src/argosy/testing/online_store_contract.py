"""The contract suites of online stores: of every lookup of features by id, and of the stores that servers share."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.ports.features import OnlineFeatures, OnlineRow, OnlineView, SharedOnlineStore, Value

Rows = Mapping[tuple[str, int], Mapping[str, Value]]
"""Join keys ``id`` and ``number`` to features."""
ROWS: Rows = {
    ("a", 1): {"score": 1.5, "kind": "month"},
    ("a", 2): {"score": -0.0, "kind": "ü' \N{SNOWMAN}"},
    ("b", 1): {"score": None, "kind": ""},
    ("", -1): {"score": 1.7976931348623157e308, "kind": None},
    ("long" * 300, 2**63 - 1): {"score": 5e-324, "kind": "x" * 1000},
}
NOON = 1_767_268_800_000_000
"""The first day of 2026, in microseconds after 1970 began."""
HOUR = 3_600_000_000
VIEWS = (OnlineView("scores", ("score",), HOUR), OnlineView("kinds", ("kind",), None))
"""Where the features come from."""
Moments = Mapping[tuple[str, int], tuple[int | None, int | None]]
MOMENTS: Moments = {
    ("a", 1): (NOON + 1, NOON - 9_000 * HOUR),
    ("a", 2): (NOON - HOUR // 2, NOON),
    ("b", 1): (None, NOON),
    ("", -1): (NOON, None),
    ("long" * 300, 2**63 - 1): (NOON, NOON),
}
"""When the features of each view were true; None where there was no row of it, and so no value."""
OTHERS: Rows = {key: {"score": 7.0, "kind": "other"} for key in [("a", 1), ("c", 1)]}
DIGEST, OTHER_DIGEST = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def keys(entity: tuple[str, int]) -> dict[str, Any]:
    """As a request names an entity."""
    return {"id": entity[0], "number": entity[1]}


def asked(
    features: OnlineFeatures, entities: Sequence[Mapping[str, Any]], at: int = NOON
) -> list[Mapping[str, Value] | None]:
    """One question on a connection of its own: the features of *entities* as they count *at* that moment."""
    return [None if row is None else row.features for row in rows_asked(features, entities, at)]


def rows_asked(
    features: OnlineFeatures, entities: Sequence[Mapping[str, Any]], *moments: int
) -> list[OnlineRow | None]:
    """The same at each of *moments*, one after the other, with what is known of the features besides."""

    async def ask() -> list[OnlineRow | None]:
        try:
            return [row for at in moments for row in await features.get(entities, at)]
        finally:
            await features.close()

    return asyncio.run(ask())


class OnlineFeaturesContract:
    """Fixture ``features``: a reader of what was published from ``ROWS``, with ``VIEWS`` and ``MOMENTS``."""

    def test_each_entity_has_its_features(self, features: OnlineFeatures) -> None:
        """Bit for bit, in the order asked for, one asked for twice twice; features in their own order."""
        wanted = [*ROWS, next(iter(ROWS))]
        found = asked(features, [keys(entity) for entity in wanted])
        assert [repr(row) for row in found] == [repr(ROWS[entity]) for entity in wanted]

    def test_one_entity(self, features: OnlineFeatures) -> None:
        """One entity is found, as most requests ask for it."""
        assert asked(features, [keys(("a", 1))]) == [ROWS["a", 1]]

    @pytest.mark.parametrize(
        "entity",
        [
            pytest.param({"id": "a", "number": 3}, id="nobody"),
            pytest.param({"id": "a"}, id="a-key-is-absent"),
            pytest.param({"id": "a", "number": "1"}, id="text-for-a-number"),
            pytest.param({"id": "a", "number": 2**63}, id="no-64-bits"),
        ],
    )
    def test_an_unknown_entity_is_none(self, features: OnlineFeatures, entity: dict[str, Any]) -> None:
        """And takes nothing from those that came with it."""
        assert asked(features, [entity, keys(("b", 1))]) == [None, ROWS["b", 1]]

    def test_nobody_is_asked_for(self, features: OnlineFeatures) -> None:
        """Nobody is found."""
        assert asked(features, []) == []

    def test_a_value_counts_until_it_outlives_its_view(self, features: OnlineFeatures) -> None:
        """To the microsecond, as in the join of training; what comes from another view stays, and the row says what went."""
        moments = MOMENTS["a", 1]
        assert moments[0] is not None
        end = moments[0] + HOUR
        found = rows_asked(features, [keys(("a", 1))], end, end + 1)
        assert found == [
            OnlineRow({"score": 1.5, "kind": "month"}, list(moments), []),
            OnlineRow({"score": None, "kind": "month"}, list(moments), ["score"]),
        ]

    def test_each_of_many_outlives_its_view_by_itself(self, features: OnlineFeatures) -> None:
        """In one question; a value that was missing anyway has not expired, and a view without a lifetime never does."""
        found = rows_asked(features, [keys(entity) for entity in ROWS], NOON + HOUR + 1)
        score = [row and (row.features["score"], row.expired) for row in found]
        assert score == [(1.5, []), (None, ["score"]), (None, []), (None, ["score"]), (None, ["score"])]
        assert [row and row.features["kind"] for row in found] == [row["kind"] for row in ROWS.values()]
        assert [row and tuple(row.moments) for row in found] == list(MOMENTS.values())

    def test_views_and_their_lifetimes_are_known(self, features: OnlineFeatures) -> None:
        """They travel with the features."""
        assert tuple(features.views) == VIEWS
        assert asked(features, []) == []


class SharedOnlineStoreContract(OnlineFeaturesContract):
    """Fixtures ``store`` (empty), and ``published`` and ``others``: folders with what was published from ``ROWS`` and ``OTHERS``.

    Both have ``VIEWS``, the first ``MOMENTS``; all of the second's are ``NOON``.
    """

    @pytest.fixture
    def features(self, store: SharedOnlineStore, published: Path, others: Path) -> OnlineFeatures:
        """Beside another version's."""
        store.load(others, OTHER_DIGEST, "toy")
        store.load(published, DIGEST, "toy")
        return store.open(DIGEST)

    def test_versions_keep_apart(self, store: SharedOnlineStore, published: Path, others: Path) -> None:
        """Two that are served at once each read what they were approved with, whichever came last."""
        store.load(published, DIGEST, "toy")
        old = store.open(DIGEST)
        store.load(others, OTHER_DIGEST, "toy")
        both = [keys(("a", 1)), keys(("c", 1))]
        assert asked(old, both) == [ROWS["a", 1], None]
        assert asked(store.open(OTHER_DIGEST), both) == [OTHERS["a", 1], OTHERS["c", 1]]

    def test_loading_again_changes_nothing(self, store: SharedOnlineStore, published: Path, others: Path) -> None:
        """A step that is tried again finds its work done; what is approved under a digest is never replaced."""
        store.load(published, DIGEST, "toy")
        [before] = store.held()
        assert (before.digest, before.model, before.entities, before.whole) == (DIGEST, "toy", len(ROWS), True)
        store.load(others, DIGEST, "other")
        [after] = store.held()
        # Only that somebody still means to propose it.
        assert after == replace(before, loaded_at=after.loaded_at)
        assert after.loaded_at > before.loaded_at
        assert asked(store.open(DIGEST), [keys(("a", 1))]) == [ROWS["a", 1]]

    def test_what_is_not_there_is_not_opened(self, store: SharedOnlineStore, others: Path) -> None:
        """A server does not start; the message says what puts it there."""
        with pytest.raises(errors.Misconfigured, match=f"{DIGEST}.*was not loaded.*argosy online load"):
            store.open(DIGEST)
        store.load(others, OTHER_DIGEST, "toy")
        with pytest.raises(errors.Misconfigured, match=f"{DIGEST}.*was not loaded"):
            store.open(DIGEST)

    def test_a_dropped_store_is_gone_and_says_so(self, store: SharedOnlineStore, features: OnlineFeatures) -> None:
        """Whoever still reads it is told that the features are lost, never that a customer is unknown; others stay."""
        store.drop(DIGEST)
        store.drop(DIGEST)
        assert [held.digest for held in store.held()] == [OTHER_DIGEST]
        with pytest.raises(errors.TryAgain, match="lost"):
            asked(features, [keys(("a", 1))])
        assert asked(store.open(OTHER_DIGEST), [keys(("a", 1))]) == [OTHERS["a", 1]]

    def test_a_load_that_breaks_off_leaves_nothing_to_open(
        self, store: SharedOnlineStore, published: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Half a store is none, and the next attempt makes it whole."""
        from argosy.adapters.feast_features import shared_store

        whole = shared_store.entities

        def half(folder: Path) -> Any:
            yield from list(whole(folder))[:2]
            raise errors.TryAgain("the power went")

        monkeypatch.setattr(shared_store, "entities", half)
        with pytest.raises(errors.TryAgain, match="the power went"):
            store.load(published, DIGEST, "toy")
        with pytest.raises(errors.Misconfigured, match="was not loaded"):
            store.open(DIGEST)
        monkeypatch.undo()
        store.load(published, DIGEST, "toy")
        assert asked(store.open(DIGEST), [keys(("b", 1))]) == [ROWS["b", 1]]
