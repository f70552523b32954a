"""Text as words, and as sentences: what retrieval, answers and the judge by words share."""

import functools
import re

import snowballstemmer

_WORD = re.compile(r"[a-z0-9]+(?:[._'-][a-z0-9]+)*")
_PARTS = re.compile(r"[._'-]")
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+(?=[A-Z`'\"(])|\n+")
_STOPWORDS = """
a about after all also am an and any are as at be because been but by can could did do does for from had has have how i if in into is it
its just me my no nor not of off on or our out over own shall she should so some such than that the their them then there these they this
those to too up us very was we were what when where which while who whom whose why will with would you your
"""
STOPWORDS = frozenset(_STOPWORDS.split())


def words(text: str) -> list[str]:
    """The stems of the words in *text*, in their order, without stop words; a compound such as ``pipeline.yaml`` and its parts."""
    tokens = (token for each in _WORD.findall(text.lower()) for token in _with_parts(each))
    return [_stem(token) for token in tokens if token and token not in STOPWORDS]


def _with_parts(token: str) -> list[str]:
    parts = _PARTS.split(token)
    return [token, *parts] if len(parts) > 1 else parts


def sentences(text: str) -> list[str]:
    """The sentences, lines and cells of *text*."""
    return [each for part in _SENTENCE.split(text) if (each := part.strip(" |"))]


@functools.lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@functools.cache
def _stemmer() -> "snowballstemmer.stemmer":
    return snowballstemmer.stemmer("english")
