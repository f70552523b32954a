"""sprig's dates. The local zone is UTC, as in the controller's container."""

from datetime import UTC, tzinfo

from argosy.engine.expressions import functions, times
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Function
from argosy.engine.expressions.sprig.signature import typed
from argosy.engine.expressions.times import NANOSECONDS, Duration, Time
from argosy.engine.expressions.values import is_int, wrapped

_HOUR = NANOSECONDS["h"]
_UNITS = {
    "y": _HOUR * 24 * 365,
    "mo": _HOUR * 24 * 30,
    "d": _HOUR * 24,
    "h": _HOUR,
    "m": NANOSECONDS["m"],
    "s": NANOSECONDS["s"],
}


def _moment(value: object) -> Time:
    if isinstance(value, Time):
        return value
    return Time.unix(value) if is_int(value) else Time.now()


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "Local" else times.zone(name)
    except ExpressionError:
        return UTC


def _in_zone(layout: str, date: object, zone: str) -> str:
    return times.formatted(_moment(date).in_zone(_zone(zone)), layout)


def _modified(by: str, date: Time) -> Time:
    try:
        return date.plus(Duration.parse(by))
    except ExpressionError:
        return date


def _read(layout: str, text: str) -> Time:
    try:
        return times.parsed(text, layout)
    except ExpressionError:
        return Time.zero()


def _ago(date: object) -> str:
    passed = Time.now().minus(_moment(date)).nanoseconds
    second = NANOSECONDS["s"]
    return str(Duration((passed + second // 2) // second * second))


def _duration(seconds: object) -> str:
    # Of numbers only an int64 counts, and no literal is one.
    if not isinstance(seconds, str):
        return "0s"
    try:
        return str(Duration(wrapped(functions.whole_number(seconds) * NANOSECONDS["s"])))
    except ExpressionError:
        return "0s"


def _rounded(value: object) -> str:
    amount = 0
    if isinstance(value, str):
        try:
            amount = Duration.parse(value).nanoseconds
        except ExpressionError:
            amount = 0
    elif isinstance(value, Time):
        amount = Time.now().minus(value).nanoseconds
    for unit, length in _UNITS.items():
        if abs(amount) > length:
            return f"{abs(amount) // length}{unit}"
    return "0s"


FUNCTIONS: dict[str, Function] = {
    "now": typed("", Time.now),
    "date": typed("sa", lambda layout, date: _in_zone(layout, date, "Local")),
    "dateInZone": typed("sas", _in_zone),
    "date_in_zone": typed("sas", _in_zone),
    "htmlDate": typed("a", lambda date: _in_zone("2006-01-02", date, "Local")),
    "htmlDateInZone": typed("as", lambda date, zone: _in_zone("2006-01-02", date, zone)),
    "dateModify": typed("st", _modified),
    "date_modify": typed("st", _modified),
    "mustDateModify": typed("st", lambda by, date: date.plus(Duration.parse(by))),
    "must_date_modify": typed("st", lambda by, date: date.plus(Duration.parse(by))),
    "toDate": typed("ss", _read),
    "mustToDate": typed("ss", lambda layout, text: times.parsed(text, layout)),
    "unixEpoch": typed("t", lambda date: str(int(date.moment.timestamp() // 1))),
    "ago": typed("a", _ago),
    "duration": typed("a", _duration),
    "durationRound": typed("a", _rounded),
}
