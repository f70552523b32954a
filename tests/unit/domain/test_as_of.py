"""Moments as of which a run looks: how they are written, and what is held out where the settings' holdout lay in the future."""

import datetime

import pytest

from argosy import errors
from argosy.domain import as_of
from argosy.domain.model_settings import EntitySplit, TimeSplit

UTC = datetime.UTC


def day(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("2013-03-10", "2013-03-10T00:00:00Z", id="a-date-begins-in-utc"),
        # New York has no 02:30 that day, and Berlin two of them in autumn: a zone's offset is written, and says which.
        pytest.param("2013-03-10T03:30-04:00", "2013-03-10T07:30:00Z", id="as-clocks-go-forward"),
        pytest.param("2013-10-27T02:30+02:00", "2013-10-27T00:30:00Z", id="the-first-half-past-two"),
        pytest.param("2013-10-27T02:30+01:00", "2013-10-27T01:30:00Z", id="the-second"),
        pytest.param("2013-03-10T02:30", "2013-03-10T02:30:00Z", id="without-a-zone-it-is-utc"),
        pytest.param("2013-03-10T02:30:00.000001Z", "2013-03-10T02:30:00.000001Z", id="to-the-microsecond"),
    ],
)
def test_moments(text: str, said: str) -> None:
    """Whatever the zone, what is recorded is UTC, and reads as the same moment again."""
    moment = as_of.parse(text)
    assert moment is not None
    assert as_of.text(moment) == said
    assert as_of.parse(said) == moment


@pytest.mark.parametrize("text", ["yesterday", "2013-02-30", "0001-01-01T00:00+14:00"])
def test_no_moment(text: str) -> None:
    """A value that names none is refused, and none at all is now."""
    with pytest.raises(errors.Misconfigured, match="is no moment; write one like"):
        as_of.parse(text)
    assert as_of.parse(" ") is None


class TestSplit:
    """What is held out."""

    OWN = TimeSplit(by="time", holdout_from=day("2013-10-01"), holdout_until=day("2014-01-01"))

    def split(self, own: EntitySplit | TimeSplit, moment: str) -> EntitySplit | TimeSplit:
        return as_of.split(own, day(moment), day("2013-01-01"), day("2013-04-11"))

    def test_by_entity_stays(self) -> None:
        """An entity is on its side at any time."""
        own = EntitySplit(by="entity", holdout=0.2)
        assert self.split(own, "2013-04-11") is own

    def test_a_holdout_that_had_ended_stays(self) -> None:
        """To the moment: its last row is before its end."""
        assert self.split(self.OWN, "2014-01-01") is self.OWN
        assert self.split(self.OWN, "2013-12-31") != self.OWN

    def test_the_newest_fifth_of_the_time_otherwise(self) -> None:
        """And it has no end: what is newest was not learned from."""
        found = self.split(self.OWN, "2013-04-12")
        assert isinstance(found, TimeSplit)
        assert (found.holdout_from, found.holdout_until) == (day("2013-03-22"), None)

    def test_as_the_settings_say(self) -> None:
        """`as_of` names the length."""
        found = self.split(self.OWN.model_copy(update={"as_of": "30d"}), "2013-04-12")
        assert isinstance(found, TimeSplit)
        assert found.holdout_from == day("2013-03-12")
