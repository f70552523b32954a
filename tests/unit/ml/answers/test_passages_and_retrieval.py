"""Documents become passages that people can look up, and questions find them, the same each time."""

from argosy.domain.answers.answer_settings import Extractive, Retrieval
from argosy.ml.answers import extractive, passages
from argosy.ml.answers.retrieval import PassageIndex

PAGE = """# Help

Words before any section.

## Rolling back

Type `argosy rollback MODEL`. It opens one request.

| alert | remedy |
|---|---|
| latency | more pods |

## Rolling back

The second of that name says how a [backup](x.md) is restored from tape.
"""


def test_sections_are_named_as_they_are_linked_to() -> None:
    """A second heading of one name gets the anchor that GitHub gives it; a row of a table is a line."""
    found = passages.of_documents({"help.md": PAGE}, words=100)
    assert [each.section for each in found] == ["help.md#help", "help.md#rolling-back", "help.md#rolling-back-1"]
    assert found[1].text.splitlines() == [
        "Type argosy rollback MODEL. It opens one request.",
        "alert | remedy",
        "latency | more pods",
    ]
    assert found[1].title == "Help > Rolling back"
    assert "backup is restored" in found[2].text


def test_a_long_section_is_cut_between_its_blocks() -> None:
    """Each part keeps the name of the section, and no block is lost."""
    text = "# A\n\n" + "\n\n".join(f"Paragraph number {number} has six words." for number in range(10))
    found = passages.of_documents({"a.md": text}, words=20)
    assert len(found) == 4
    assert {each.section for each in found} == {"a.md#a"}
    assert sum(each.text.count("Paragraph") for each in found) == 10


def test_a_question_finds_its_section_by_stems() -> None:
    """ "Restoring" finds "restored"; a question without a known word finds nothing; of equal passages the earlier comes first."""
    index = PassageIndex(passages.of_documents({"help.md": PAGE}, words=100), Retrieval(passages=2))
    assert [each.passage.section for each in index.find("How are backups restored?")] == ["help.md#rolling-back-1"]
    assert index.find("Wie spät ist es?") == []
    twins = PassageIndex(
        passages.of_documents({"a.md": "# X\n\ncats purr", "b.md": "# X\n\ncats purr"}, words=100), Retrieval()
    )
    assert [each.passage.section for each in twins.find("purr")] == ["a.md#x", "b.md#x"]


def test_it_refuses_what_the_passages_hardly_touch() -> None:
    """An answer needs the rare words of the question, not its common ones; what is answered stands in a passage."""
    index = PassageIndex(passages.of_documents({"help.md": PAGE}, words=100), Retrieval())
    settings = Extractive(kind="extractive", sentences=1, least_cover=0.6)
    question = "Which helicopter restores a backup to orbit?"
    assert extractive.answer(settings, index, question, index.find(question)) is None
    question = "How is a backup restored from tape?"
    answer = extractive.answer(settings, index, question, index.find(question))
    assert answer is not None
    assert "restored from tape" in answer
