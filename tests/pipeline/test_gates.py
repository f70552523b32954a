"""A model that may not go to production: the run says no, why, and what would pass; nothing is opened."""

import json
import re
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def raised(new_project: Any, known: Any) -> Any:
    """A project whose reviewers ask for more than any model has, in two dimensions."""
    project = known(new_project("churn"))
    policy = project.folder / "gitops-env" / "policies" / "churn.yaml"
    text = policy.read_text(encoding="utf-8")
    text, found = re.subn(r"(metric: performance.auc\n    at_least: )0[.]\d+", r"\g<1>0.97", text)
    text, also = re.subn(r"(metric: calibration.ece\n    at_most: )0[.]\d+", r"\g<1>0.0001", text)
    assert (found, also) == (1, 1)
    policy.write_text(text, encoding="utf-8")
    return project


def test_a_rejected_model_is_explained(raised: Any) -> None:
    """Exit 10 and one verdict; each failed gate with what was measured and what would pass, and no other named as failed."""
    done = raised.call("run", "churn", "--json")
    assert done.returncode == 10, done.stdout[-2000:] + done.stderr[-4000:]
    result = json.loads(done.stdout)
    assert (result["phase"], result["verdict"]) == ("Failed", "reject")
    assert result["model_digest"].startswith("sha256:")
    for told in (
        r"performance[.]auc: 0[.]8\d+, limit ≥ 0[.]97; would pass: performance[.]auc of 0[.]97 or more",
        r"calibration[.]ece: 0[.]\d+, limit ≤ 0[.]0001; would pass: calibration[.]ece of 0[.]0001 or less",
    ):
        assert re.search(told, done.stderr), done.stderr[-4000:]
    assert len(re.findall("would pass", done.stderr)) == 2
    assert "Traceback" not in done.stdout + done.stderr


def test_no_request_comes_of_it_and_nothing_is_served(raised: Any) -> None:
    """Nor of a second run of the same, which says the same again."""
    again = raised.call("run", "churn", "--json")
    assert again.returncode == 10
    assert json.loads(again.stdout)["verdict"] == "reject"
    assert raised.call("pr", "list", "--all", "--json").stdout.strip() == ""
    assert raised.call("serve", "churn", "--port", "0").returncode == 10
