"""Rows that are asked about, as spreadsheets write them."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.file_tables import FileTables
from argosy.cli import predict
from argosy.domain.data import FeatureColumn
from argosy.scoring import parts

FEATURES = [
    FeatureColumn(name="Größe", type="number", view="v"),
    FeatureColumn(name="Lage", type="category", levels=["1,5", "Stadt"], view="v"),
]


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_a_spreadsheet_of_another_country(tmp_path: Path, sign: str) -> None:
    """Decimal commas of numbers are points, words for a missing value nothing; texts stay, also those that look like numbers."""
    file = tmp_path / "rows.csv"
    lines = ["Größe~Lage~Rest", "1,5~1,5~a", "-2~Stadt~NA", 'NA~Stadt~"x;y"', " 3,25 ~~"]
    file.write_text("\r\n".join(lines).replace("~", sign) + "\r\n", encoding="utf-8-sig")
    found = predict._read(file, FEATURES).to_pydict()
    assert [None if each is None else float(each) for each in found["Größe"]] == [1.5, -2.0, None, 3.25]
    assert found["Lage"][:3] == ["1,5", "Stadt", "Stadt"]
    assert found["Rest"][:3] == ["a", "NA", "x;y"]


@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig"])
def test_a_hint_for_excel_is_no_header(tmp_path: Path, mark: str) -> None:
    """Its sign is taken, though the header has more of another; lines are counted with it."""
    file = tmp_path / "rows.csv"
    file.write_text("sep=;\r\nGröße;Lage;a,b,c,d\r\n1,5;Stadt;x\r\n", encoding=mark)
    found = predict._read(file, FEATURES)
    assert found.column_names[:3] == ["Größe", "Lage", "a,b,c,d"]
    assert found["Größe"].to_pylist() == [1.5]


def test_words_for_a_missing_value(tmp_path: Path) -> None:
    """With commas too, as `argosy init` took them: among numbers nothing, among texts themselves. A decimal comma is none there."""
    file = tmp_path / "rows.csv"
    file.write_text('Größe,Lage\n1.5,Stadt\nNA,NA\n?,Stadt\n"1,5",Stadt\n', encoding="utf-8")
    found = predict._read(file, FEATURES)
    assert found["Größe"].to_pylist() == [1.5, None, None, None]
    assert found["Lage"].to_pylist() == ["Stadt", "NA", "Stadt", "Stadt"]
    assert found[parts.UNREADABLE].to_pylist() == [None, None, None, "Größe: '1,5' is no number"]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        pytest.param(["1,234", "7"], [None, 7.0], id="thousands-or-decimals"),
        pytest.param(["1,234", "12.5"], [None, 12.5], id="thousands-beside-a-point"),
        pytest.param(["0,5", "12.5"], [None, 12.5], id="both-signs"),
        pytest.param(["1,234", "0,123", "-1,5E+03", ",5"], [1.234, 0.123, -1500.0, 0.5], id="decimals"),
    ],
)
def test_a_comma_is_a_decimal_sign_where_it_can_be_nothing_else(
    tmp_path: Path, cells: list[str], read: list[float | None]
) -> None:
    """The whole file tells, as it does to the contract: a thousand that is read as one would be answered, and nobody would notice."""
    file = tmp_path / "rows.csv"
    file.write_text("\n".join(["Größe\tLage", *(f"{cell}\tStadt" for cell in cells)]) + "\n", encoding="utf-8")
    found = predict._read(file, FEATURES)
    assert found["Größe"].to_pylist() == read
    assert [said is None for said in found[parts.UNREADABLE].to_pylist()] == [each is not None for each in read]


@pytest.mark.parametrize(
    ("foreign", "line"), [pytest.param("1;Höhe\n", 3, id="a-value"), pytest.param("Größe;Lage\n", 1, id="a-name")]
)
def test_a_table_to_score_that_is_not_utf8(tmp_path: Path, foreign: str, line: int) -> None:
    """In a folder of tables the one is named, with what makes it UTF-8."""
    lines = ["Größe;Lage\n", "1;Stadt\n", "1;Höhe\n"]
    file = b"".join(each.encode("cp1252" if each == foreign else "utf-8") for each in lines)
    (tmp_path / "rows.csv").write_bytes(file)
    tables = FileTables(tmp_path)
    [part] = parts.of(tables)
    with pytest.raises(errors.Misconfigured, match=rf"line {line} of rows\.csv is not UTF-8.*iconv"):
        list(parts.batches(tables, part, FEATURES))


def test_one_that_is_not_utf8(tmp_path: Path) -> None:
    """Its line is named, with what makes it so."""
    file = tmp_path / "rows.csv"
    file.write_bytes("a;b\n1;Größe\n".encode("cp1252"))
    with pytest.raises(errors.Rejected, match=r"line 2 of .* is not UTF-8.*iconv"):
        predict._read(file, FEATURES)
