"""What was measured of one part of a table, as the monitoring store keeps it; not for good, as least and greatest values are among it."""

import datetime
from typing import Any

from pydantic import AwareDatetime, ConfigDict, ValidationError

from argosy.domain.documents import Document

FOLDER = "measures/"
"""Of the monitoring store: an object a part, by the digest of its content and of how it is read."""


class PartMeasures(Document):
    """The measures of one part; whoever has none measures it again."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # what was measured may be no number

    at: AwareDatetime
    """When it was measured."""
    measured: dict[str, Any]


def taken(content: bytes) -> datetime.datetime:
    """When what *content* holds was measured; long ago where it cannot be read, since it is measured again whenever it is asked for."""
    try:
        return PartMeasures.model_validate_json(content).at
    except ValidationError:
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)
