"""Checks what a caller sent against the model's signature, and says which field is wrong.

A row is either every feature by name (null where unknown; the join keys may come with it, so that labels can be joined later), or every
feature as a list in the model's order, or the join keys alone. Nothing is guessed: a missing feature is not null, true is not 1, and "12"
is not 12.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from argosy.domain.bundle import Signature
from argosy.serving.request_problems import RequestProblem, shown, suggestion

Value = float | str | None
FLOAT32_MAX = 3.4028234663852886e38
"""The model computes in 32 bits; a larger number would become infinite there."""
LONGEST_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One checked row: features, or None where the online store has them; join keys, or None where the caller gave none."""

    features: Mapping[str, Value] | None
    entity: Mapping[str, str | int] | None


Where = Callable[[int, str | None], str]
"""Names a field for the caller: from the place of the row and the feature (none: all of the row), in the words of the protocol."""


class RowReader:
    """Reads rows for one signature."""

    def __init__(self, signature: Signature) -> None:
        self._model = signature.model
        self._numbers = {column.name: column.type == "number" for column in signature.features}
        self._keys = frozenset(signature.join_keys)
        self.names = self._numbers.keys() | self._keys
        self.most_columns = len(self.names)

    def read_all(self, instances: Sequence[Any], where: Where) -> list[Row]:
        """*instances* as rows. Raises RequestProblem (422) with the field, as *where* names it."""
        rows = []
        for place, instance in enumerate(instances):
            try:
                rows.append(self.read(instance))
            except RequestProblem as problem:
                problem.field = where(place, problem.field)
                raise
        return rows

    def read(self, instance: Any) -> Row:
        """*instance* as a row. Raises RequestProblem (422) with the name of the field, none where it is about all of it."""
        if type(instance) is list:
            instance = self._by_name(instance)
        if type(instance) is not dict:
            raise RequestProblem(422, f"expected an object, {_kind(instance)} came")
        if instance.keys() == self._keys and not self._keys >= self._numbers.keys():
            return Row(None, entity(instance))
        features = {name: self._feature(instance, name, number) for name, number in self._numbers.items()}
        if len(instance) == len(features):
            return Row(features, None)
        return Row(features, self._keys_beside(instance))

    def _by_name(self, values: Sequence[Any]) -> dict[str, Any]:
        if len(values) != len(self._numbers):
            names = shown(", ".join(self._numbers), 300)
            raise RequestProblem(422, f"{len(values)} values; the model has {len(self._numbers)} features: {names}")
        return dict(zip(self._numbers, values, strict=True))

    def _feature(self, instance: Mapping[str, Any], name: str, number: bool) -> Value:
        try:
            value = instance[name]
        except KeyError:
            self._missing(instance, name)
        kind = type(value)
        if value is None:
            return None
        if number and (kind is float or kind is int):
            return _number(value, name)
        if number or kind is not str:
            _wrong(value, "a number" if number else "a string", name)
        return _text(value, name)

    def _missing(self, instance: Mapping[str, Any], name: str) -> NoReturn:
        # A typo leaves both a missing and an unknown feature; the unknown one is what the caller can see.
        self._refuse_unknown(instance)
        hint = f", or only {' and '.join(sorted(self._keys))}" if self._keys else ""
        raise RequestProblem(422, f"the feature is missing; send every feature (null where unknown){hint}", field=name)

    def _keys_beside(self, instance: Mapping[str, Any]) -> Mapping[str, str | int]:
        """The join keys that came with a full row."""
        self._refuse_unknown(instance)
        for name in sorted(self._keys):
            if name not in instance:
                raise RequestProblem(422, "another join key came, this one did not", field=name)
        return entity({name: instance[name] for name in self._keys})

    def _refuse_unknown(self, instance: Mapping[str, Any]) -> None:
        for name in instance:
            if name not in self.names:
                message = f"{self._model} has no feature {shown(name)}{suggestion(name, sorted(self.names))}"
                raise RequestProblem(422, message, field=name[:LONGEST_TEXT])


def entity(keys: Mapping[str, Any]) -> Mapping[str, str | int]:
    """*keys* as the join keys of a row. Raises RequestProblem (422) with the name of the key."""
    for name, value in keys.items():
        if type(value) is str:
            _text(value, name)
        elif type(value) is not int:
            _wrong(value, "a string or a whole number", name)
    return keys


def _number(value: float, field: str) -> float:
    if not -FLOAT32_MAX <= value <= FLOAT32_MAX:  # also true of NaN
        raise RequestProblem(422, "the number is not finite in 32 bits", field=field)
    return value


def _text(value: str, field: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise RequestProblem(422, f"the text is longer than {LONGEST_TEXT} characters", field=field)
    return value


def _wrong(value: Any, expected: str, field: str) -> NoReturn:
    raise RequestProblem(422, f"expected {expected}, {_kind(value)} came", field=field)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)
