"""The types of values before they are computed: Go's, as far as expr-lang tells them apart. The rules are ``typecheck``'s."""

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
        """True where a value of this type may turn out to be anything."""
        return self.name in ("unknown", "interface {}")

    @property
    def is_nil(self) -> bool:
        """True where the type is that of nil alone."""
        return self.name == "nil"

    @property
    def is_number(self) -> bool:
        """True where the type is one of numbers."""
        return self.name in ("int", "float64")

    @property
    def is_list(self) -> bool:
        """True where the type is one of lists."""
        return self.name.startswith("[]")

    @property
    def is_map(self) -> bool:
        """True where the type is one of maps."""
        return self.name.startswith("map[")

    @property
    def key(self) -> "GoType":
        """The type of a map's keys."""
        return STRING if self.name.startswith("map[string]") else ANY

    @property
    def of_elements(self) -> "GoType":
        """The type of a list's elements, or of a map's values."""
        if self.element is not None:
            return self.element
        if self.is_list:
            return GoType(self.name.removeprefix("[]"))
        return LIST if self.name.endswith("[]interface {}") else ANY

    def fits(self, other: "GoType") -> bool:
        """True where a value of this type can be assigned to one of the *other*."""
        if self.is_nil:
            return other.is_list or other.is_map or other.name in ("interface {}", "func")
        if "unknown" in (self.name, other.name) or other.is_nil:
            return False
        return other.name in (self.name, "interface {}")

    def compares_to(self, other: "GoType") -> bool:
        """True where ``==`` is defined on the two."""
        return (
            any(side.is_unknown or side.is_nil for side in (self, other))
            or (self.is_number and other.is_number)
            or (self.is_list and other.is_list)
            or self.fits(other)
        )


UNKNOWN = GoType("unknown")
"""Nothing is known."""
ANY = GoType("interface {}")
"""The type of what a map or function without types gives: as good as unknown."""
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
