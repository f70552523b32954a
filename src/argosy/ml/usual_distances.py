"""Measures how far windows usually are from their own seasons, from counts alone: who looks at predictions has no model at hand."""

from collections.abc import Mapping

from argosy.domain import drift, tallies, watch_reference
from argosy.domain.tallies import Layout, Tally
from argosy.ml import drift as measures


class UsualDistances:
    """How far windows have been from their own seasons, the window itself left out; of each slice and column the most."""

    def __init__(self, layout: Layout, seasons: Mapping[str, Mapping[str, Tally]], minimum_rows: int) -> None:
        """*seasons*: season to slice to all rows that there are of it. *minimum_rows*: of a window that says anything."""
        self._layout, self._seasons, self._minimum_rows = layout, seasons, minimum_rows
        self.distances: dict[str, dict[str, float]] = {}
        self.means: dict[str, float] = {}
        self.windows: dict[str, int] = {}
        """Slice to the number of windows that were measured."""

    def add(self, window: Mapping[str, Mapping[str, Tally]]) -> None:
        """One more *window*: season to slice to rows, which are among all rows of their season."""
        for name in {name for season in window.values() for name in season}:
            pair = self._pair({season: found[name] for season, found in window.items() if name in found}, name)
            if pair is None:
                continue
            now, reference = (self._layout.window(tally) for tally in pair)
            self.windows[name] = self.windows.get(name, 0) + 1
            far = self.distances.setdefault(name, {})
            for found in measures.differences(now, reference):
                far[found.column] = max(far.get(found.column, 0.0), found.jensen_shannon)
            shift = drift.mean_shift(now.scores, reference.scores)
            self.means[name] = max(self.means.get(name, 0.0), abs(shift.relative or 0.0) if shift else 0.0)

    def _pair(self, by_season: Mapping[str, Tally], name: str) -> tuple[Tally, Tally] | None:
        """A window and what it would have been held against; None where either is too small."""
        now = tallies.total(list(by_season.values()))
        if now.rows < self._minimum_rows:
            return None
        others = {season: tallies.without(self._seasons[season][name], tally) for season, tally in by_season.items()}
        reference = watch_reference.mixed(others, {season: tally.rows for season, tally in by_season.items()})
        return None if reference is None or reference.rows < drift.FEWEST_REFERENCE else (now, reference)
