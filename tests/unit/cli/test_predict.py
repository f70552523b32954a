"""Rows that are asked about, as spreadsheets write them."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import predict
from argosy.domain.data import FeatureColumn

FEATURES = [
    FeatureColumn(name="Größe", type="number", view="v"),
    FeatureColumn(name="Lage", type="category", levels=["1,5", "Stadt"], view="v"),
]


@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_spreadsheet_of_another_country(tmp_path: Path, sign: str) -> None:
    """Decimal commas of numbers are points, words for a missing value nothing; texts stay, also those that look like numbers."""
    file = tmp_path / "rows.csv"
    lines = ["Größe|Lage|Rest", "1,5|1,5|a", "-2|Stadt|NA", 'NA|Stadt|"x;y"', " 3,25 ||"]
    file.write_text("\r\n".join(lines).replace("|", sign) + "\r\n", encoding="utf-8-sig")
    found = predict._read(file, FEATURES).to_pydict()
    assert [None if each is None else float(each) for each in found["Größe"]] == [1.5, -2.0, None, 3.25]
    assert found["Lage"][:3] == ["1,5", "Stadt", "Stadt"]
    assert found["Rest"][:3] == ["a", "NA", "x;y"]


def test_one_that_is_not_utf8(tmp_path: Path) -> None:
    """Its line is named, with what makes it so."""
    file = tmp_path / "rows.csv"
    file.write_bytes("a;b\n1;Größe\n".encode("cp1252"))
    with pytest.raises(errors.Rejected, match=r"line 2 of .* is not UTF-8.*iconv"):
        predict._read(file, FEATURES)
