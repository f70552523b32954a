"""Tells the language of a question by the short words that it has: enough to see that other people ask, and of no question a promise."""

import re
import unicodedata

from bm25s import stopwords

from argosy.domain.answers.answer_columns import LANGUAGES, NO_LANGUAGE, OTHER_LETTERS

_WORD = re.compile(r"[^\W\d_]+")
_SHORT_WORDS = {
    name: frozenset(getattr(stopwords, f"STOPWORDS_{'EN_PLUS' if name == 'english' else name.upper()}"))
    for name in LANGUAGES
}


def of(text: str) -> str:
    """One of LANGUAGES, OTHER_LETTERS, or NO_LANGUAGE of a text whose short words are of none, or of several as much."""
    words = _WORD.findall(text.lower())
    counts = {name: sum(word in short for word in words) for name, short in _SHORT_WORDS.items()}
    most = max(counts.values())
    best = [name for name, count in counts.items() if count == most]
    if most and len(best) == 1:
        return best[0]
    letters = [letter for word in words for letter in word]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return OTHER_LETTERS if letters and 2 * latin < len(letters) else NO_LANGUAGE
