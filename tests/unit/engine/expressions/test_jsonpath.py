"""JSONPath in expressions, as the library that Argo uses answers."""

import pytest

from argosy.engine.expressions import jsonpath
from argosy.engine.expressions.errors import ExpressionError

STAFF = {
    "limit": 42,
    "staff": [
        {"name": "Ann", "age": 43, "desk": {"floor": 2}},
        {"name": "Bo", "age": 42},
        {"name": "Cy's", "age": 30, "away": True},
    ],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("$.staff[?(@.age > 42)].name", ["Ann"], id="greater"),
        pytest.param("$.staff[?(@.age>41 && @.age<43)].age", [42], id="and"),
        pytest.param("$.staff[?(@.name=='Bo' || @.away)].name", ["Bo", "Cy's"], id="or-and-truth"),
        pytest.param('$.staff[?(@.name=="Cy\'s")].age', [30], id="quotes"),
        pytest.param("$.staff[?(!(@.age == 42))].name", ["Ann", "Cy's"], id="not"),
        pytest.param("$.staff[?(@.age >= $.limit)].age", [43, 42], id="against-the-document"),
        pytest.param("$.staff[?(@['desk'].floor == 2)].name", ["Ann"], id="nested"),
        pytest.param("$.staff[?(@.name =~ /^B/)].name", ["Bo"], id="pattern"),
        pytest.param("$.staff[?(@.age == '43')].name", ["Ann"], id="number-as-text"),
        pytest.param("$.staff[?(@.age > 1)][1].name", "Bo", id="index-among-the-filtered"),
        pytest.param("$.staff[?(@.nothing == 1)]", [], id="nobody"),
        pytest.param("$.staff[0].name", "Ann", id="no-filter"),
    ],
)
def test_filters(path: str, found: object) -> None:
    """A filter keeps the elements whose condition holds; one that cannot be evaluated does not hold."""
    assert jsonpath.query(path, STAFF) == found


@pytest.mark.parametrize("path", ["$.staff[?(@.age + 1 > 2)]", "$.staff[(@.length-1)]", "$.staff[?(@.age >)]"])
def test_what_is_not_understood_is_refused(path: str) -> None:
    """Arithmetic and scripts are not run in another way than Argo would."""
    with pytest.raises(ExpressionError, match="not supported"):
        jsonpath.query(path, STAFF)
