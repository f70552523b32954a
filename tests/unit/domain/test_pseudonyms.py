"""Hashes of ids."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from argosy.domain import pseudonyms

IDS = st.one_of(st.none(), st.text(st.characters(codec="utf-8")), st.integers())


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), st.lists(IDS, min_size=4, max_size=4), min_size=1),
    st.binary(max_size=200),
)
def test_columns_are_hashed_as_rows_are(columns: dict[str, list[str | int | None]], key: bytes) -> None:
    """Whatever ids are called and made of, and however long the key is: one customer has one hash in every log."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    whole = [{name: one for name, one in row.items() if one is not None} for row in rows]
    expected = [
        pseudonyms.hashed(kept, key) if len(kept) == len(row) else None for row, kept in zip(rows, whole, strict=True)
    ]
    assert pseudonyms.hashed_columns(columns, key) == expected


def test_the_hash_is_what_is_said() -> None:
    """HMAC with SHA-256 over JSON, which whoever has the key can make without us."""
    expected = hmac.new(b"secret", b'{"a":1,"b":"x"}', hashlib.sha256).hexdigest()
    assert pseudonyms.hashed({"b": "x", "a": 1}, b"secret") == expected
