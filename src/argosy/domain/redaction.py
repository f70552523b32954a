"""Takes out of a text what is nobody's business: keys, passwords, addresses of people, and the marks by which chats call people.

Texts of steps and services go to chats and mails of many readers, and stay there. What a key looks like is known for the common kinds;
whatever else is long and without a word in it is taken for one. Digests and commits are no secrets, and stay. Repetitions in the patterns
have a limit, without which a long text would take the square of its length.
"""

import re

HIDDEN = "[hidden]"

_NAMED = (
    r"(?:password|passwd|pwd|secret|token|api[-_ ]?key|access[-_ ]?key(?:[-_ ]?id)?|private[-_ ]?key|authorization|credentials?|"
    r"signature|session)"
)
_KNOWN = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|sk-|hf_|npm_|pypi-|dop_v1_|SG\.|AIza)[\w.-]{10,}",
    r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?",
    r"(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}",
)
_WHOLE = re.compile("|".join(_KNOWN), re.DOTALL)
_ASSIGNED = re.compile(
    rf"(?i)([\w-]{{0,40}}{_NAMED}[\w-]{{0,40}}[\"']?\s{{0,9}}[=:]\s{{0,9}})(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
_USERINFO = re.compile(r"(?<=://)[^\s/?#]*@")
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"')>]*|(?<=\w)#[^\s\"')>]*")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s\"'<>]+", re.IGNORECASE)
_PERSON = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}")
_WORD = re.compile(r"(?<![\w+/=-])[\w+/=-]{24,}(?![\w+/=-])")
_HEX = re.compile(r"[0-9a-f]+\Z")


def redacted(text: str) -> str:
    """*text* without what only its writer should know. Control characters, but for line breaks, are blanks."""
    shown = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    shown = _WHOLE.sub(HIDDEN, shown)
    shown = _URL.sub(lambda found: _QUERY.sub("", _USERINFO.sub("", found[0])), shown)
    shown = _ASSIGNED.sub(rf"\1{HIDDEN}", shown)
    shown = _PERSON.sub(HIDDEN, shown)
    shown = _WORD.sub(lambda found: HIDDEN if _is_opaque(found[0]) else found[0], shown)
    # "@here" and "<!channel>" call everybody in a chat; whoever made a step fail must not be able to.
    return shown.replace("@", "(at)").replace("<!", "< !")


def _is_opaque(word: str) -> bool:
    """Whether *word* is letters of both cases and digits, as keys are, and as no name, digest or path of ours is."""
    kinds = (str.islower, str.isupper, str.isdigit)
    return not _HEX.match(word) and all(any(kind(char) for char in word) for kind in kinds)
