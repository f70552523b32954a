"""The graph of a pipeline's tasks: what it leaves out, and how it is drawn."""

from xml.etree import ElementTree

from argosy.domain import task_graph
from argosy.domain.task_graph import GraphTask, TaskStanding
from argosy.report import task_graph_picture, task_graph_text

TASKS = (
    GraphTask("last", ("left", "right", "first")),
    GraphTask("first"),
    GraphTask("left", ("first",), loop=True),
    GraphTask("middle", ("first",), inner=(GraphTask("one"), GraphTask("two", ("one",)))),
    GraphTask("right", ("middle", "first")),
    GraphTask("aside"),
)


def test_what_follows_is_left_out() -> None:
    """`last` waits for `first` anyway, by what it waits for."""
    assert task_graph.direct(TASKS)["last"] == ("left", "right")
    assert task_graph.direct(TASKS)["right"] == ("middle",)


def test_a_layer_waits_for_those_before() -> None:
    """The longest way counts."""
    names = [[task.name for task in layer] for layer in task_graph.layers(TASKS)]
    assert names == [["first", "aside"], ["left", "middle"], ["right"], ["last"]]


def test_lines_lead_to_what_waits() -> None:
    """Lanes part behind a task, and come together before one that waits for several."""
    assert list(task_graph_text.lines(TASKS, {})) == [
        "● first",
        "├─╮",
        "● │ left (each item)",
        "│ ● middle",
        "│ │   ● one",
        "│ │   ● two",
        "│ ● right",
        "├─╯",
        "● last",
        "● aside",
    ]


def test_a_lane_is_crossed() -> None:
    """By a line that parts into lanes on both sides of one that leads on."""
    tasks = [
        GraphTask("a"),
        GraphTask("b"),
        GraphTask("c", ("a",)),
        GraphTask("d", ("a",)),
        GraphTask("e", ("a",)),
        GraphTask("f", ("b", "c", "d", "e")),
    ]
    assert list(task_graph_text.lines(tasks, {})) == [
        "● a",
        "├─┬─╮",
        "│ │ │ ● b",
        "● │ │ │ c",
        "│ ● │ │ d",
        "│ │ ● │ e",
        "├─┴─┴─╯",
        "● f",
    ]


def test_a_run_is_told() -> None:
    """By a mark, the time that a task took, and how many items of a loop have ended."""
    standings = {
        ("first",): TaskStanding("done", 121.0),
        ("left",): TaskStanding("works", 2.0, ended=1, items=3),
        ("middle", "one"): TaskStanding("failed", 0.5),
    }
    drawn = list(task_graph_text.lines(TASKS, standings))
    assert drawn[0] == "✔ first  2 min 01 s"
    assert drawn[2] == "◐ │ left (1 of 3)  2.0 s"
    assert drawn[4] == "│ │   ✖ one  500 ms"


def test_what_could_never_be_carried_out() -> None:
    """Is said, wherever it is, and whatever else waits for it."""
    inner = (GraphTask("in", ("nobody", "in2")), GraphTask("in2"))
    tasks = [GraphTask("a", ("b",)), GraphTask("b", ("a",)), GraphTask("c", ("b",)), GraphTask("d", inner=inner)]
    assert list(task_graph.doubts(tasks)) == [
        "d.in waits for nobody, which is not there",
        "a, b, c wait for one another, or for those that do",
    ]
    assert not list(task_graph.doubts(TASKS))


def test_the_picture_says_it_in_words() -> None:
    """Whoever does not see it is read the same; a name is text, whatever it holds."""
    root = ElementTree.fromstring(task_graph_picture.svg("<it>", TASKS, {("left",): TaskStanding("failed")}))  # noqa: S314 - our own
    assert root.attrib["aria-label"] == (
        "Tasks of <it>: first, left after first, middle after first, right after middle, last after left and right, aside"
    )
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"✖ left (each item)", "● two", "● last"} <= {*texts}
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 5
