"""sprig's arithmetic: whatever is given is made a number first, and what is none is 0."""

import decimal
import math
import secrets
from collections.abc import Callable

from argosy.engine.expressions import functions, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Function
from argosy.engine.expressions.sprig.signature import typed
from argosy.engine.expressions.values import is_number, wrapped

LONGEST = 1_000_000


def whole(value: object) -> int:
    """As an int64; text may be hexadecimal, octal or binary, as in Go's source."""
    if isinstance(value, bool):
        return int(value)
    if is_number(value):
        return values.to_int(value)
    return _from_text(value) if isinstance(value, str) else 0


def _from_text(text: str) -> int:
    digits, point, decimals = text.partition(".")
    if point and (not decimals or (decimals.isascii() and decimals.isdigit())):
        text = digits or "0"
    sign, body = (text[:1], text[1:]) if text[:1] in ("+", "-") else ("", text)
    octal = len(body) > 1 and body[0] == "0" and body[1] in "01234567_"
    try:
        number = int(sign + (f"0o{body[1:]}" if octal else body), 0) if body.isascii() and not body[:1].isspace() else 0
    except ValueError:
        return 0
    return number if -(1 << 63) <= number < 1 << 63 else 0


def floating(value: object) -> float:
    """As a float64."""
    if isinstance(value, bool) or is_number(value):
        return float(value)
    try:
        return functions.decimal_number(value) if isinstance(value, str) else 0.0
    except ExpressionError:
        return 0.0


def _product(first: object, *rest: object) -> int:
    product = whole(first)
    for factor in rest:
        product = wrapped(product * whole(factor))
    return product


def _quotient(left: object, right: object) -> int:
    above, below = whole(left), whole(right)
    if below == 0:
        raise ExpressionError("integer divide by zero")
    amount = abs(above) // abs(below)
    return wrapped(-amount if (above < 0) != (below < 0) else amount)


def _remainder(left: object, right: object) -> int:
    return whole(left) - whole(right) * _quotient(left, right)


def _exact(work: Callable[[decimal.Decimal, decimal.Decimal], decimal.Decimal]) -> Callable[..., float]:
    """Arithmetic in decimals, so that 0.1 + 0.2 is 0.3."""

    def calculate(first: object, *rest: object) -> float:
        with decimal.localcontext(prec=40):
            total = decimal.Decimal(repr(floating(first)))
            for value in rest:
                try:
                    total = work(total, decimal.Decimal(repr(floating(value))))
                except decimal.DecimalException as error:
                    raise ExpressionError(f"decimal division by 0 or out of range ({type(error).__name__})") from None
            return float(total)

    return calculate


_added = _exact(lambda left, right: left + right)


def _divided(left: decimal.Decimal, right: decimal.Decimal) -> decimal.Decimal:
    return (left / right).quantize(decimal.Decimal("1e-16"), rounding=decimal.ROUND_HALF_UP)


def _steps(start: int, stop: int, step: int) -> list[int]:
    found = range(start, stop, step) if step and (step < 0) == (stop < start) else range(0)
    if len(found) > LONGEST:
        raise ExpressionError(f"a list of {len(found)} numbers is too long; {LONGEST} is the limit")
    return list(found)


def _until(count: int) -> list[int]:
    return _steps(0, count, -1 if count < 0 else 1)


def _sequence(*given: int) -> str:
    if not 1 <= len(given) <= 3:
        return ""
    start, end = (1, given[0]) if len(given) == 1 else (given[0], given[-1])
    direction = -1 if end < start else 1
    step = given[1] if len(given) == 3 else direction
    if direction < 0 < step:
        return ""
    return " ".join(map(str, _steps(start, end + direction, step)))


def _round(value: object, places: int, *given: float) -> float:
    """Half away from below: a fraction of at least the given part (0.5) goes up."""
    scale = math.pow(10, places)
    digit = scale * floating(value)
    if not math.isfinite(digit):
        return digit
    up = math.modf(digit)[0] >= (given[0] if given else 0.5)
    return float(math.ceil(digit) if up else math.floor(digit)) / scale


def _octal(value: object) -> int:
    try:
        return int(values.written(value), 8)
    except ValueError:
        return 0


def _random(low: int, high: int) -> int:
    if high <= low:
        raise ExpressionError("there is no number in an empty range")
    return low + secrets.randbelow(high - low)


def _or_zero(text: str) -> int:
    try:
        return functions.whole_number(text)
    except ExpressionError:
        return 0


FUNCTIONS: dict[str, Function] = {
    "int": typed("a", whole),
    "int64": typed("a", whole),
    "float64": typed("a", floating),
    "atoi": typed("s", _or_zero),
    "toDecimal": typed("a", _octal),
    "add": typed("a*", lambda *given: wrapped(sum(map(whole, given)))),
    "add1": typed("a", lambda value: wrapped(whole(value) + 1)),
    "sub": typed("aa", lambda left, right: wrapped(whole(left) - whole(right))),
    "mul": typed("aa*", _product),
    "div": typed("aa", _quotient),
    "mod": typed("aa", _remainder),
    "addf": typed("a*", lambda *given: _added(0.0, *given)),
    "add1f": typed("a", lambda value: _added(value, 1)),
    "subf": typed("aa*", _exact(lambda left, right: left - right)),
    "mulf": typed("aa*", _exact(lambda left, right: left * right)),
    "divf": typed("aa*", _exact(_divided)),
    "max": typed("aa*", lambda *given: max(map(whole, given))),
    "biggest": typed("aa*", lambda *given: max(map(whole, given))),
    "min": typed("aa*", lambda *given: min(map(whole, given))),
    "maxf": typed("aa*", lambda *given: max(map(floating, given))),
    "minf": typed("aa*", lambda *given: min(map(floating, given))),
    "ceil": typed("a", lambda value: float(math.ceil(floating(value)))),
    "floor": typed("a", lambda value: float(math.floor(floating(value)))),
    "round": typed("aif*", _round),
    "until": typed("i", _until),
    "untilStep": typed("iii", _steps),
    "seq": typed("i*", _sequence),
    "randInt": typed("ii", _random),
}
