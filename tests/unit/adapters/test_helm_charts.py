"""What helm says, in words for people."""

import pytest

from argosy.adapters import helm_charts

SCHEMA = (
    "WARNING: Kubernetes configuration file is group-readable.\n"
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nplatform:\n"
    "- at '': additional properties 'endpoint' not allowed\n"
)


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        pytest.param(
            SCHEMA,
            "the values do not fit the chart: platform: - at '': additional properties 'endpoint' not allowed",
            id="schema",
        ),
        pytest.param("Error: UPGRADE FAILED: timed out\n", "UPGRADE FAILED: timed out", id="other"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_helm_says(stderr: str, said: str) -> None:
    """Without its warnings and the words that every failure begins with."""
    assert helm_charts.explained(stderr) == said
