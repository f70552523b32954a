"""Moments as whole microseconds since 1970 in UTC: as logs, tables and stores of features count them."""

import datetime

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)


def microseconds(moment: datetime.datetime) -> int:
    """The count of *moment*, which has a zone."""
    return (moment - EPOCH) // MICROSECOND


def moment(microseconds: int) -> datetime.datetime:
    """The moment in UTC of which *microseconds* is the count. Raises OverflowError beyond the years that a date can say."""
    return EPOCH + microseconds * MICROSECOND
