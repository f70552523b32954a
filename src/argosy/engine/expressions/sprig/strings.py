"""sprig's functions of texts, encodings, digests and paths."""

import base64
import binascii
import hashlib
import posixpath
import random
import re
import secrets
import string
import uuid
import zlib
from collections.abc import Callable

from argosy.engine.expressions import functions, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Function
from argosy.engine.expressions.sprig import cases
from argosy.engine.expressions.sprig.signature import typed
from argosy.engine.expressions.values import written

LONGEST = 1_000_000


def _bounded(text: str) -> str:
    if len(text) > LONGEST:
        raise ExpressionError(f"a text of {len(text)} characters is too long; {LONGEST} is the limit")
    return text


def _bytes_of(text: str, start: int | None, stop: int | None) -> str:
    """Go counts a string's bytes."""
    return text.encode()[start:stop].decode(errors="replace")


def _truncated(length: int, text: str) -> str:
    size = len(text.encode())
    if length < 0:
        return _bytes_of(text, length, None) if size + length > 0 else text
    return _bytes_of(text, 0, length)


def _substring(start: int, end: int, text: str) -> str:
    size = len(text.encode())
    if start < 0:
        start = 0
    elif end < 0 or end > size:
        end = size
    if not 0 <= start <= end <= size:
        raise ExpressionError(f"slice bounds out of range [{start}:{end}] with length {size}")
    return _bytes_of(text, start, end)


def _repeated(count: int, text: str) -> str:
    if count < 0 or count * len(text) > LONGEST:
        raise ExpressionError(f"cannot repeat {count} times")
    return text * count


def _indented(spaces: int, text: str) -> str:
    if spaces < 0:
        raise ExpressionError("negative repeat count")
    pad = " " * min(spaces, LONGEST)
    return _bounded(pad + text.replace("\n", f"\n{pad}"))


def quoted(text: str) -> str:
    """*text* between double quotes, as Go's ``%q`` writes it."""
    simple = {
        "\a": r"\a",
        "\b": r"\b",
        "\f": r"\f",
        "\n": r"\n",
        "\r": r"\r",
        "\t": r"\t",
        "\v": r"\v",
        '"': r"\"",
        "\\": r"\\",
    }

    def escaped(char: str) -> str:
        if char in simple:
            return simple[char]
        if char.isprintable():
            return char
        number = ord(char)
        return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"

    return '"' + "".join(map(escaped, text)) + '"'


def _title(text: str) -> str:
    # What is not ASCII separates no words, but for blanks.
    return re.sub(r"(?:(?<=[\x00-\x2f:-@\[-^`{-\x7f\s])|^)\w", lambda match: match[0].upper(), text)


def _abbreviated(width: int, text: str) -> str:
    return text if width < 4 or len(text) <= width else text[: width - 3] + "..."


def _abbreviated_both(offset: int, width: int, text: str) -> str:
    """*text* in *width* characters from about *offset*, dots at each end that is cut."""
    if width < 4 or (offset > 0 and width < 7) or len(text) <= width:
        return text
    start = min(offset, len(text), len(text) - (width - 3)) if len(text) - offset < width - 3 else offset
    if start <= 4:
        return text[: width - 3] + "..."
    if start + width - 3 < len(text):
        return "..." + _abbreviated(width - 3, text[start:])
    return "..." + text[len(text) - (width - 3) :]


def _initials(text: str) -> str:
    return "".join(word[0] for word in text.split())


def _swapped(text: str) -> str:
    """Small letters large and large small; a letter that begins a word becomes a title letter."""
    return text.swapcase()


def _wrapped(width: int, text: str, mark: str = "\n", *, cuts: bool = False) -> str:
    """Lines of at most *width*; a longer word is cut where *cuts* says so, else it stands out."""
    lines, rest = [], text
    limit = max(width, 1)
    while len(rest) > limit:
        rest_ = rest.lstrip(" ")
        if rest_ != rest:
            rest = rest_
            continue
        at = rest.rfind(" ", 0, limit + 1)
        if at < 0 and not cuts:
            at = rest.find(" ", limit)
            if at < 0:
                break
        lines.append(rest[:limit] if at < 0 else rest[:at])
        rest = rest[limit:] if at < 0 else rest[at + 1 :]
    return mark.join([*lines, rest])


def _random(alphabet: str) -> Callable[[int], str]:
    def draw(count: int) -> str:
        if count > LONGEST:
            raise ExpressionError(f"cannot draw {count} characters")
        return "".join(secrets.choice(alphabet) for _ in range(count))

    return draw


def _shuffled(text: str) -> str:
    chars = list(text)
    random.shuffle(chars)
    return "".join(chars)


def strings_of(value: object) -> list[str]:
    """Each element as text, without the nils."""
    if isinstance(value, list | tuple):
        return [written(entry) for entry in value if entry is not None]
    return [] if value is None else [written(value)]


def _numbered(parts: list[str]) -> dict[str, str]:
    return {f"_{place}": part for place, part in enumerate(parts)}


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    found: list[str] = functions.FUNCTIONS["split"](text, separator, limit)
    return found


def _b64_decoded(text: str) -> str:
    plain = text.replace("\n", "").replace("\r", "")
    try:
        return base64.b64decode(plain, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return f"illegal base64 data at input byte {_first_bad(plain, string.ascii_letters + string.digits + '+/', 4)}"


def _first_bad(text: str, alphabet: str, block: int) -> int:
    stripped = text.rstrip("=")
    bad = next((place for place, char in enumerate(stripped) if char not in alphabet), None)
    return len(stripped) - len(stripped) % block if bad is None else bad


def _b32_decoded(text: str) -> str:
    try:
        return base64.b32decode(text).decode(errors="replace")
    except (binascii.Error, ValueError):
        return f"illegal base32 data at input byte {_first_bad(text, string.ascii_uppercase + '234567', 8)}"


def _digest(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _extension(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name[name.rfind(".") :] if "." in name else ""


def _clean(path: str) -> str:
    return posixpath.normpath(path) if not path.startswith("//") else posixpath.normpath("/" + path.lstrip("/"))


def _base(path: str) -> str:
    stripped = path.rstrip("/")
    return stripped.rsplit("/", 1)[-1] if stripped else ("/" if path else ".")


def _folder(path: str) -> str:
    return _clean(path[: path.rfind("/") + 1] or ".")


_PATHS: dict[str, Function] = {
    "Base": _base,
    "Dir": _folder,
    "Clean": lambda path: _clean(path or "."),
    "Ext": _extension,
    "IsAbs": lambda path: path.startswith("/"),
}


def _failed(message: str) -> str:
    raise ExpressionError(message)


def _from_json(text: str) -> object:
    try:
        return values.from_json(text)
    except ExpressionError:
        return None


def _or_empty(value: object, **how: bool) -> str:
    try:
        return values.to_json(value, **how)
    except ExpressionError:
        return ""


FUNCTIONS: dict[str, Function] = {
    "trim": typed("s", functions.FUNCTIONS["trim"]),
    "trimAll": typed("ss", lambda cut, text: text.strip(cut) if cut else text),
    "trimall": typed("ss", lambda cut, text: text.strip(cut) if cut else text),
    "trimPrefix": typed("ss", lambda prefix, text: text.removeprefix(prefix)),
    "trimSuffix": typed("ss", lambda suffix, text: text.removesuffix(suffix)),
    "upper": typed("s", functions.FUNCTIONS["upper"]),
    "lower": typed("s", functions.FUNCTIONS["lower"]),
    "title": typed("s", _title),
    "untitle": typed("s", lambda text: re.sub(r"(?<!\S)\S", lambda match: match[0].lower(), text)),
    "swapcase": typed("s", _swapped),
    "snakecase": typed("s", lambda text: cases.lowered(text, "_")),
    "kebabcase": typed("s", lambda text: cases.lowered(text, "-")),
    "camelcase": typed("s", cases.pascal),
    "initials": typed("s", _initials),
    "abbrev": typed("is", _abbreviated),
    "abbrevboth": typed("iis", _abbreviated_both),
    "trunc": typed("is", _truncated),
    "substr": typed("iis", _substring),
    "repeat": typed("is", _repeated),
    "nospace": typed("s", lambda text: "".join(text.split())),
    "wrap": typed("is", _wrapped),
    "wrapWith": typed("iss", lambda width, mark, text: _wrapped(width, text, mark or "\n", cuts=True)),
    "contains": typed("ss", lambda part, text: part in text),
    "hasPrefix": typed("ss", lambda prefix, text: text.startswith(prefix)),
    "hasSuffix": typed("ss", lambda suffix, text: text.endswith(suffix)),
    "quote": typed("a*", lambda *given: " ".join(quoted(written(value)) for value in given if value is not None)),
    "squote": typed("a*", lambda *given: " ".join(f"'{written(value)}'" for value in given if value is not None)),
    "cat": typed("a*", lambda *given: " ".join(written(value) for value in given if value is not None)),
    "indent": typed("is", _indented),
    "nindent": typed("is", lambda spaces, text: f"\n{_indented(spaces, text)}"),
    "replace": typed("sss", lambda old, new, text: _bounded(text.replace(old, new))),
    "plural": typed("ssi", lambda one, many, count: one if count == 1 else many),
    "toString": typed("a", written),
    "toStrings": typed("a", strings_of),
    "join": typed("sa", lambda mark, items: mark.join(strings_of(items))),
    "sortAlpha": typed("a", lambda items: sorted(strings_of(items)) if isinstance(items, list) else [written(items)]),
    "split": typed("ss", lambda mark, text: _numbered(_split(text, mark))),
    "splitn": typed("sis", lambda mark, count, text: _numbered(_split(text, mark, count))),
    "splitList": typed("ss", lambda mark, text: _split(text, mark)),
    "shuffle": typed("s", _shuffled),
    "randAlphaNum": typed("i", _random(string.ascii_letters + string.digits)),
    "randAlpha": typed("i", _random(string.ascii_letters)),
    "randNumeric": typed("i", _random(string.digits)),
    "randAscii": typed("i", _random("".join(map(chr, range(32, 127))))),
    "uuidv4": typed("", lambda: str(uuid.uuid4())),
    "b64enc": typed("s", lambda text: base64.b64encode(text.encode()).decode()),
    "b64dec": typed("s", _b64_decoded),
    "b32enc": typed("s", lambda text: base64.b32encode(text.encode()).decode()),
    "b32dec": typed("s", _b32_decoded),
    "sha1sum": typed("s", _digest("sha1")),
    "sha256sum": typed("s", _digest("sha256")),
    "sha512sum": typed("s", _digest("sha512")),
    "adler32sum": typed("s", lambda text: str(zlib.adler32(text.encode()))),
    "fromJson": typed("s", _from_json),
    "mustFromJson": typed("s", values.from_json),
    "toJson": typed("a", _or_empty),
    "mustToJson": typed("a", values.to_json),
    "toPrettyJson": typed("a", lambda value: _or_empty(value, indent=True)),
    "mustToPrettyJson": typed("a", lambda value: values.to_json(value, indent=True)),
    "toRawJson": typed("a", lambda value: values.to_json(value, html=False)),
    "mustToRawJson": typed("a", lambda value: values.to_json(value, html=False)),
    "fail": typed("s", _failed),
    "hello": typed("", lambda: "Hello!"),
    **{name[0].lower() + name[1:]: typed("s", work) for name, work in _PATHS.items()},
    **{f"os{name}": typed("s", work) for name, work in _PATHS.items()},
}
