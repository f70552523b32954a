"""--as-of as it is typed."""

import pytest

from argosy import errors
from argosy.cli import as_of_option


def test_is_a_parameter() -> None:
    """In UTC; without it there is none, and the pipeline's own default counts."""
    assert as_of_option.parameter("2013-03-10T03:30-04:00", ["as-of"], "churn") == {"as-of": "2013-03-10T07:30:00Z"}
    assert as_of_option.parameter(None, [], "churn") == {}


@pytest.mark.parametrize(
    ("asked", "declared", "said"),
    [
        pytest.param("2999-01-01", ["as-of"], "is still to come", id="the-future"),
        pytest.param("yesterday", ["as-of"], r"--as-of: 'yesterday' is neither a time", id="no-moment"),
        pytest.param(
            "2013-01-01", ["data"], r"churn takes no parameter 'as-of'.*argosy compile", id="no-such-parameter"
        ),
    ],
)
def test_what_no_run_can_know(asked: str, declared: list[str], said: str) -> None:
    """One line each; the last is of a manifest that was compiled before the parameter was there."""
    with pytest.raises(errors.UsageError, match=said):
        as_of_option.parameter(asked, declared, "churn")
