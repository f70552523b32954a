"""The language of a question, by the short words that it has."""

import pytest

from argosy.ml.answers import languages


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How do I resume a run that was killed?", "english"),
        ("Wie setze ich einen Lauf fort, der abgebrochen wurde?", "german"),
        ("Comment est-ce que je reprends une exécution qui a été tuée ?", "french"),
        ("¿Cómo puedo reanudar una ejecución que se ha detenido?", "spanish"),
        ("Как мне продолжить запуск, который был остановлен?", "russian"),
        ("実行を再開するにはどうすればよいですか", "other letters"),
        ("argosy resume exit 137", "unclear"),
        ("", "unclear"),
        ("137 !?", "unclear"),
    ],
)
def test_the_language_of_a_question(question: str, language: str) -> None:
    """Names and numbers alone are of none; other letters are told even where their words are not known."""
    assert languages.of(question) == language
