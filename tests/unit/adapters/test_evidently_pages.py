"""Pages of drift, drawn by Evidently."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from argosy import errors, wiring
from argosy.domain.drift import Difference, Finding
from argosy.ports.drift_pages import DriftPages


@pytest.fixture(scope="module")
def pages() -> DriftPages:
    """On Evidently, which takes seconds to import: so not while tests are collected, which every worker does."""
    return wiring.drift_pages()


def rows(seed: int, **columns: pa.Array) -> pa.Table:
    """A number and a category, and *columns*."""
    random = np.random.default_rng(seed)
    words = random.choice(["free", "pro"], 300).tolist()
    return pa.table({"seats": pa.array(random.normal(size=300)), "plan": pa.array(words), **columns})


def finding(column: str, distance: float, *, drifted: bool) -> Finding:
    """What was decided of *column*."""
    difference = Difference(
        column=column, kind="number", psi=0.0, jensen_shannon=distance, test="ks", statistic=0.0, p_value=0.5, missing=0.0,
        missing_before=0.0,
    )  # fmt: skip
    return Finding(difference=difference, adjusted_p=0.5, limit=0.1234, drifted=drifted)


def test_a_page_needs_nothing_else(pages: DriftPages, tmp_path: Path) -> None:
    """One file with both columns that loads nothing from elsewhere; nothing half written is left beside it."""
    path = tmp_path / "pages" / "page.html"
    pages.write(path, now=rows(1), before=rows(2), findings={}, drift=False, title="toy in production", verdict="")
    page = path.read_text(encoding="utf-8")
    assert "seats" in page
    assert "plan" in page
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(https?://[^\"]+)\"", page) == []
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize("empty", [pa.nulls(300, pa.float64()), pa.array([float("nan")] * 300)], ids=["null", "nan"])
def test_an_empty_column_does_not_cost_the_page(pages: DriftPages, empty: pa.Array, tmp_path: Path) -> None:
    """Evidently would end with an error: the column is left out, on whichever side it is empty."""
    full = pa.array(np.arange(300.0))
    for place, (now, before) in enumerate([(empty, full), (full, empty)]):
        path = tmp_path / f"{place}.html"
        pages.write(
            path, now=rows(1, gone=now), before=rows(2, gone=before), findings={}, drift=False, title="toy", verdict=""
        )
        assert path.stat().st_size > 100_000


def test_nothing_to_draw_is_said(pages: DriftPages, tmp_path: Path) -> None:
    """Rejected, in one line; no file."""
    nothing = pa.table({"x": pa.nulls(5, pa.float64())})
    with pytest.raises(errors.Rejected, match="toy: no column has a value on both sides"):
        pages.write(
            tmp_path / "page.html", now=nothing, before=nothing, findings={}, drift=False, title="toy", verdict=""
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("drifted", "drift", "headline", "count"),
    [
        pytest.param(["seats"], True, "Dataset Drift is detected", 1, id="one-of-two"),
        pytest.param([], True, "Dataset Drift is detected", 0, id="the-mean-or-a-slice"),
        pytest.param([], False, "Dataset Drift is NOT detected", 0, id="none"),
    ],
)
def test_a_page_says_what_was_decided(
    pages: DriftPages, drifted: list[str], drift: bool, headline: str, count: int, tmp_path: Path
) -> None:
    """Whatever the rows that are drawn look like: Evidently's own tests would call all of these drifted, or half of them."""
    findings = {name: finding(name, 0.4321, drifted=name in drifted) for name in ("seats", "plan")}
    far = rows(1).set_column(0, "seats", pa.array(np.arange(300.0)))
    path = tmp_path / "page.html"
    pages.write(
        path, now=far, before=rows(2), findings=findings, drift=drift, title="toy <b> is judged", verdict="drift: <i>"
    )
    page = path.read_text(encoding="utf-8")
    assert headline in page
    assert page.count("Dataset Drift is") == 1
    assert f'"value": "{count}", "label": "Drifted Columns"' in page
    assert "0.4321" in page
    from argosy.adapters.evidently_pages import SAID

    assert SAID in page
    assert "toy &lt;b&gt; is judged<br><b>drift: &lt;i&gt;</b>" in page


def test_a_place_that_takes_no_page_is_said(pages: DriftPages, tmp_path: Path) -> None:
    """A file where a folder should be, such as a report below another's name: one line with the place."""
    (tmp_path / "page").write_text("a file")
    with pytest.raises(
        errors.TryAgain, match=r"cannot write .*/page/page\.html: .*exists|cannot write .*Not a directory"
    ):
        pages.write(
            tmp_path / "page" / "page.html", now=rows(1), before=rows(2), findings={}, drift=False, title="", verdict=""
        )
