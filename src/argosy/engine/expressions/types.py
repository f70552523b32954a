"""What is known of a value before it is computed: Go's types, as far as expr-lang tells them apart. The rules are ``typecheck``'s."""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.engine.expressions.times import Duration, Time


@dataclass(frozen=True, slots=True)
class GoType:
    """A type, by its name in Go. *element*: of a list, where more is known than its type says."""

    name: str
    element: "GoType | None" = None

    @property
    def is_unknown(self) -> bool:
        """Whether it may turn out to be anything."""
        return self.name in ("unknown", "interface {}")

    @property
    def is_nil(self) -> bool:
        """Whether it is nothing but nil."""
        return self.name == "nil"

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self.name in ("int", "float64")

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return self.name.startswith("[]")

    @property
    def is_map(self) -> bool:
        """Whether it is a map."""
        return self.name.startswith("map[")

    @property
    def key(self) -> "GoType":
        """What a map's keys are."""
        return STRING if self.name.startswith("map[string]") else ANY

    @property
    def of_elements(self) -> "GoType":
        """What a list's elements, or a map's values, are."""
        if self.element is not None:
            return self.element
        if self.is_list:
            return GoType(self.name.removeprefix("[]"))
        return LIST if self.name.endswith("[]interface {}") else ANY

    def fits(self, other: "GoType") -> bool:
        """Whether a value of this type can be assigned to one of the *other*."""
        if self.is_nil:
            return other.is_list or other.is_map or other.name in ("interface {}", "func")
        if "unknown" in (self.name, other.name) or other.is_nil:
            return False
        return other.name in (self.name, "interface {}")

    def compares_to(self, other: "GoType") -> bool:
        """Whether ``==`` is defined on the two."""
        return (
            any(side.is_unknown or side.is_nil for side in (self, other))
            or (self.is_number and other.is_number)
            or (self.is_list and other.is_list)
            or self.fits(other)
        )


UNKNOWN = GoType("unknown")
"""Nothing is known."""
ANY = GoType("interface {}")
"""What a map or a function without types gives: as good as unknown."""
NIL, BOOL, INT, FLOAT, STRING = GoType("nil"), GoType("bool"), GoType("int"), GoType("float64"), GoType("string")
TIME, DURATION, ZONE, BYTES = (
    GoType("time.Time"),
    GoType("time.Duration"),
    GoType("*time.Location"),
    GoType("[]uint8"),
)
LIST, TEXTS, MAP = GoType("[]interface {}"), GoType("[]string"), GoType("map[string]interface {}")
ANY_MAP, GROUPS = GoType("map[interface {}]interface {}"), GoType("map[interface {}][]interface {}")
FUNCTION = GoType("func")

_OF_VALUES: dict[type, GoType] = {
    type(None): NIL,
    bool: BOOL,
    int: INT,
    float: FLOAT,
    str: STRING,
    bytes: BYTES,
    Time: TIME,
    Duration: DURATION,
    tuple: LIST,
}


def list_of(element: GoType) -> GoType:
    """A list whose elements are known to be *element*."""
    return GoType(LIST.name, element)


def of_value(value: object) -> GoType:
    """The type of *value*."""
    if isinstance(value, Mapping):
        return MAP
    if isinstance(value, list):
        return LIST
    return _OF_VALUES.get(type(value)) or (FUNCTION if callable(value) else UNKNOWN)
