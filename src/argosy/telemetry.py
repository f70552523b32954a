"""The switches by which libraries are told not to phone home. They look at them once, as they are imported."""

from collections.abc import Mapping
from types import MappingProxyType

OFF: Mapping[str, str] = MappingProxyType(
    {
        "DO_NOT_TRACK": "1",
        "FEAST_USAGE": "False",
        "GX_ANALYTICS_ENABLED": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
)
"""Variables of the environment. Images and charts set them too, which a test holds against these."""
