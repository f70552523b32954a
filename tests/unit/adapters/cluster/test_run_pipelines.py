"""Which runs of a cluster are of one pipeline."""

from typing import Any

import pytest

from argosy.adapters.cluster import status

LABEL = "workflows.argoproj.io/workflow-template"


@pytest.mark.parametrize(
    ("metadata", "spec", "pipeline"),
    [
        pytest.param(
            {"name": "churn-x7k2p", "generateName": "churn-", "labels": {LABEL: "churn"}}, {}, "churn", id="label"
        ),
        pytest.param(
            {"name": "churn-watch-1796000000"},
            {"workflowTemplateRef": {"name": "churn-watch"}},
            "churn-watch",
            id="cron",
        ),
        pytest.param({"name": "flight-delay-x7k2p", "generateName": "flight-delay-"}, {}, "flight-delay", id="typed"),
        pytest.param({"name": "flight-x-y-z"}, {}, "flight-x-y-z", id="name"),
    ],
)
def test_the_pipeline_of_a_workflow(metadata: dict[str, Any], spec: dict[str, Any], pipeline: str) -> None:
    """Its template says it, however the run is called."""
    run = status.run_of({"metadata": metadata, "spec": spec, "status": {"phase": "Failed"}}, "team")
    assert run.pipeline == pipeline
