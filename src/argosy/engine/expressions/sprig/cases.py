"""snake_case, kebab-case and CamelCase as sprig's library makes them: signs stay, and digits stay with the letters before or after them."""

import re

_CONNECTOR = r"[-_\s]"
_WORD = re.compile(
    rf"""
      (?P<connector>{_CONNECTOR}+)
    | (?P<number>\d+)
    | (?P<letters>[^\W\d_]+)
    | (?P<sign>[!-/:-@\[-`{{-~\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3001-\u3003]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGN = frozenset("!\"#%&'()*,./:;?@[\\]{}¡§«¶·»¿") | {chr(code) for code in range(0x2010, 0x2028)}
"""The characters that Unicode calls punctuation; ``+``, ``=`` and their like are symbols."""


def pascal(text: str) -> str:
    """``some_words`` as ``SomeWords``."""
    start = len(text) - len(re.sub(rf"^{_CONNECTOR}+", "", text))
    words = re.split(rf"{_CONNECTOR}(?=[^-_\s])", text[start:])
    return text[:start] + "".join(map(_capital, words))


def _capital(word: str) -> str:
    if not word[:1].isupper():
        return word[:1].upper() + word[1:]
    length = next((place for place, char in enumerate(word) if place and not char.isupper()), len(word))
    return word[0] + word[1:length].lower() + word[length:]


def lowered(text: str, connector: str) -> str:
    """``SomeWords`` as ``some_words``, *connector* between them."""
    words = _words(text)
    written, place = "", 0
    while place < len(words):
        kind, word = words[place]
        if kind == "connector":
            written += connector * len(word)
        elif kind in ("number", "sign"):
            written += word
        else:
            written += word.lower() if kind == "upper" else word
        place += 1
        if kind == "number":
            written, place = _absorbed(words, place, written)
        elif kind not in ("connector", "sign") and _kind(words, place) == "number" and place + 1 < len(words):
            written, place = _with_number(words, place, written, connector)
        elif kind in ("connector", "sign") or _kind(words, place) == "number":
            continue
        if _kind(words, place) not in ("", "connector", "sign"):
            written += connector
    return written


def _with_number(words: list[tuple[str, str]], place: int, written: str, connector: str) -> tuple[str, int]:
    """A number belongs to the word before it, unless small letters follow: ``bld4_floor``, ``http_2xx``."""
    if _kind(words, place + 1) != "letters":
        return written + words[place][1], place + 1
    return _absorbed(words, place + 1, written + connector + words[place][1])


def _absorbed(words: list[tuple[str, str]], place: int, written: str) -> tuple[str, int]:
    while _kind(words, place) in ("letters", "number"):
        written += words[place][1]
        place += 1
    return written, place


def _kind(words: list[tuple[str, str]], place: int) -> str:
    return words[place][0] if place < len(words) else ""


def _words(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for match in _WORD.finditer(text):
        kind, word = str(match.lastgroup), match[0]
        if kind == "letters":
            found += _parted(word)
        elif kind == "sign":
            found += [("sign" if part[0] in _SIGN else "other", part) for part in _runs(word)]
        else:
            found.append((kind, word))
    return found


def _runs(signs: str) -> list[str]:
    return re.findall(f"[{re.escape(''.join(_SIGN))}]+|[^{re.escape(''.join(_SIGN))}]+", signs)


def _parted(letters: str) -> list[tuple[str, str]]:
    """``HTTPServer`` as HTTP and Server; what begins small up to the next large letter."""
    found, place = [], 0
    while place < len(letters):
        large = place
        while large < len(letters) and letters[large].isupper():
            large += 1
        count = large - place
        if count >= 2:
            stop = large if large == len(letters) else large - 1
        else:
            stop = next((at for at in range(large, len(letters)) if letters[at].isupper()), len(letters))
        found.append(("upper" if count else "letters", letters[place:stop]))
        place = stop
    return found
