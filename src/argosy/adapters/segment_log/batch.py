"""Ships records that are there all at once, without a spool: whoever has them can make them again."""

import hashlib

import pyarrow.compute as pc

from argosy.adapters.segment_log import columns, layout
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import Logged, SegmentRef


class BatchSegments:
    """See :class:`argosy.ports.prediction_log.BatchLog`."""

    def __init__(self, objects: Objects) -> None:
        """Ship to *objects*."""
        self._objects = objects

    def put(self, found: Logged, identity: str) -> None:
        """See the port."""
        served = found.served
        hour = pc.floor_temporal(found.table["time"][0], unit="hour").as_py()
        name = layout.name(served.digest, hashlib.sha256(identity.encode()).hexdigest())
        ref = SegmentRef(served.model, served.environment, served.version, served.digest, hour, name)
        self._objects.put_new(layout.key(ref), columns.packed(found))
