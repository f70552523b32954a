"""Amounts are read as Kubernetes reads them."""

import pytest

from argosy.engine import quantities


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        pytest.param("64Mi", 64 << 20, id="binary"),
        pytest.param("1.5Gi", 3 << 29, id="part"),
        pytest.param(".5Ki", 512, id="no-digit-before-the-point"),
        pytest.param("5.", 5, id="none-behind-it"),
        pytest.param("2G", 2_000_000_000, id="decimal"),
        pytest.param("1e6", 1_000_000, id="exponent"),
        pytest.param("128974848", 128974848, id="bytes"),
        pytest.param("1E", 10**18, id="exa"),
        pytest.param("2000m", 2, id="thousandths"),
        pytest.param("2000000000n", 2, id="billionths"),
        pytest.param("1e999999999", quantities.LARGEST, id="more-than-there-is"),
        pytest.param("9" * 300, quantities.LARGEST, id="many-digits"),
        pytest.param("1e-999999999", 0, id="less-than-one"),
    ],
)
def test_quantities(quantity: str, expected: int) -> None:
    """Whole numbers, none larger than a cluster knows."""
    assert quantities.whole(quantity) == expected


def test_less_than_nothing() -> None:
    """Is refused, though it can be read."""
    with pytest.raises(ValueError, match="'-5Mi' is less than nothing"):
        quantities.amount("-5Mi")
    assert quantities.whole("-0") == 0


@pytest.mark.parametrize(
    "quantity", ["64MB", "much", "", ".", "1.2.3Mi", "Mi", "1e", "1e6Mi", "5ni", "64 Mi", "64Mi\n", "٣", "9" * 1000]
)
def test_what_is_no_quantity(quantity: str) -> None:
    """The beginning of the text is told, and what to write."""
    with pytest.raises(ValueError, match=r"is no quantity, such as 500m or 1\.5Gi") as refused:
        quantities.amount(quantity)
    assert len(str(refused.value)) < 100
