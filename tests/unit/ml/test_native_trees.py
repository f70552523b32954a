"""Native code answers for a model's trees in XGBoost's own bits, or leaves the answer to XGBoost."""

import ctypes
import json
import logging
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import xgboost
from hypothesis import given, strategies

from argosy.ml import native_trees, tree_layout
from argosy.ml.dense_calls import DenseCalls
from argosy.ml.native_trees import NativeTrees

Matrix = np.ndarray[Any, np.dtype[np.float32]]
NUMBERS, FEW_LEVELS, MANY_LEVELS = 4, 6, 90
TYPES = ["q"] * NUMBERS + ["c", "c"]
OBJECTIVES: dict[str, dict[str, Any]] = {
    "binary": {"objective": "binary:logistic"},
    "multiclass": {"objective": "multi:softprob", "num_class": 3},
    "regression": {"objective": "reg:squarederror"},
}
DEPTHS = {"stumps": 1, "small trees": 5, "large trees": 12}
ROWS = (1, 4, 5, 31, 32, 33, 100, 1_000)

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="native code needs a C compiler, cc")


def matrix(rows: int, seed: int = 3) -> Matrix:
    """Numbers with zeros and equal values among them, and two categories; a tenth missing."""
    random = np.random.default_rng(seed)
    made = random.normal(size=(rows, len(TYPES))).round(2).astype(np.float32)
    made[:, 0] = random.integers(-1, 2, rows)
    made[:, NUMBERS] = random.integers(0, FEW_LEVELS, rows)
    made[:, NUMBERS + 1] = random.integers(0, MANY_LEVELS, rows)
    made[random.random(made.shape) < 0.1] = np.nan
    return made


def fitted(task: str, rows: int = 3_000, rounds: int = 8, **settings: Any) -> xgboost.Booster:
    """A model of *task* for such rows."""
    data = matrix(rows)
    known = np.nan_to_num(data)
    total = known[:, :NUMBERS].sum(axis=1) + known[:, NUMBERS] % 2 + np.sin(known[:, NUMBERS + 1])
    label = {"binary": total > 0, "multiclass": np.digitize(total, [-1, 1]), "regression": total}[task]
    given = {"nthread": 1, "seed": 1, "max_depth": 4, "min_child_weight": 0, **OBJECTIVES[task], **settings}
    return xgboost.train(
        given, xgboost.DMatrix(data, label=label, feature_types=TYPES, enable_categorical=True), num_boost_round=rounds
    )


def native(booster: xgboost.Booster) -> NativeTrees:
    """What answers for *booster*, which has to be native code."""
    answer = native_trees.quickest(booster)
    assert isinstance(answer.__self__, NativeTrees)  # type: ignore[attr-defined]
    return answer.__self__  # type: ignore[attr-defined,no-any-return]


def assert_same(booster: xgboost.Booster, answers: NativeTrees) -> None:
    """The same shape and bits for any number of rows, in any layout, of the values and of what they are made of."""
    calls = DenseCalls(booster)
    for rows in ROWS:
        asked = matrix(rows, seed=rows)
        for layout in (asked, np.asfortranarray(asked), np.repeat(asked, 2, axis=1)[:, ::2]):
            for expected, found in ((calls.predict, answers.predict), (calls.margins, answers.margins)):
                assert found(layout).shape == expected(asked).shape
                assert found(layout).tobytes() == expected(asked).tobytes()


@pytest.mark.parametrize("depth", DEPTHS.values(), ids=DEPTHS)
@pytest.mark.parametrize("task", OBJECTIVES)
def test_the_bits_of_xgboost(task: str, depth: int) -> None:
    """Of each task, for trees that are a split each, for some whose every split is asked, and for some that rows walk down."""
    booster = fitted(task, max_depth=depth)
    sizes = [len(tree.split("\n")) // 2 for tree in booster.get_dump()]
    assert (max(sizes) >= tree_layout.LARGE) == (depth == DEPTHS["large trees"])
    assert_same(booster, native(booster))


def test_values_at_its_thresholds() -> None:
    """At each threshold, next to it and at both zeros a row takes XGBoost's side."""
    booster = fitted("regression", max_depth=6)
    layout = tree_layout.of(json.loads(bytes(booster.save_raw("json"))))
    asked = native_trees.telling_rows(layout)
    asked[::7, :NUMBERS] = np.float32(-0.0)
    asked[::11, :NUMBERS] = np.float32(0.0)
    asked[::13, :NUMBERS] = np.finfo(np.float32).smallest_subnormal
    assert native(booster).margins(asked).tobytes() == DenseCalls(booster).margins(asked).tobytes()


def test_levels_that_no_split_names() -> None:
    """A level beyond all that the trees know goes where XGBoost sends it."""
    booster = fitted("binary")
    asked = matrix(200)
    asked[:, NUMBERS] = np.arange(200) % 40
    asked[:, NUMBERS + 1] = np.arange(200) * 7
    assert native(booster).margins(asked).tobytes() == DenseCalls(booster).margins(asked).tobytes()


def test_trees_without_a_split() -> None:
    """A model that learned nothing but the mean."""
    booster = fitted("regression", gamma=1e9)
    assert all("leaf" in tree.split("\n")[0] for tree in booster.get_dump())
    assert_same(booster, native(booster))


def of_json(booster: xgboost.Booster, change: Callable[[dict[str, Any]], None]) -> xgboost.Booster:
    """*booster* after *change* of its model, as XGBoost's JSON has it."""
    made = json.loads(bytes(booster.save_raw("json")))
    change(made["learner"]["gradient_booster"]["model"])
    return xgboost.Booster({"nthread": 1}, model_file=bytearray(json.dumps(made).encode()))


@pytest.mark.parametrize("gamma", [1.0, 20.0, 1e9], ids=["a few", "many", "all"])
@pytest.mark.parametrize("task", OBJECTIVES)
def test_splits_that_were_pruned(task: str, gamma: float) -> None:
    """A split by category that became a leaf, or that no way leads to any more, keeps its set of levels, which then says nothing."""
    rows, label = matrix(2_000), np.arange(2_000) % 3
    data = xgboost.DMatrix(
        rows, label=label > 0 if task == "binary" else label, feature_types=TYPES, enable_categorical=True
    )
    # XGBoost warns that what grows trees is not asked here.
    grown = {
        "nthread": 1,
        "verbosity": 0,
        "max_depth": 9,
        "min_child_weight": 0,
        "max_cat_to_onehot": 1,
        **OBJECTIVES[task],
    }
    pruned = {**grown, "process_type": "update", "updater": "prune", "gamma": gamma}
    booster = xgboost.train(pruned, data, 2, xgb_model=xgboost.train(grown, data, 2))
    trees = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    assert any(tree["left_children"][node] < 0 for tree in trees for node in tree["categories_nodes"])
    assert_same(booster, native(booster))


@pytest.mark.parametrize("label", [0, 1])
def test_labels_that_are_all_alike(label: int) -> None:
    """Of a chance of 0 or 1 there is no sum; XGBoost begins with the next that it allows."""
    booster = xgboost.train({"nthread": 1, **OBJECTIVES["binary"]}, xgboost.DMatrix(matrix(50), np.full(50, label)), 2)
    assert_same(booster, native(booster))


@pytest.mark.parametrize("threshold", [0.0, -0.0, 1e-45, -1e-45, 3.4028234663852886e38, -3.4028234663852886e38, np.inf])
@pytest.mark.parametrize("missing_left", [0, 1])
def test_thresholds_at_the_ends_of_numbers(threshold: float, missing_left: int) -> None:
    """At zero, next to it, at the largest number and beyond: rows of any value take XGBoost's side."""

    def change(model: dict[str, Any]) -> None:
        for tree in model["trees"]:
            splits = [left >= 0 for left in tree["left_children"]]
            found = zip(splits, tree["split_conditions"], strict=True)
            tree["split_conditions"] = [threshold if is_split else worth for is_split, worth in found]
            tree["default_left"] = [missing_left if is_split else 0 for is_split in splits]

    plain = xgboost.train({"nthread": 1, "max_depth": 2}, xgboost.DMatrix(matrix(300), np.arange(300) % 7), 3)
    booster = of_json(plain, change)
    least, most = np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max
    values = np.array([0.0, -0.0, least, -least, most, -most, np.inf, -np.inf, np.nan, 1.0], dtype=np.float32)
    asked = np.random.default_rng(0).choice(values, (400, len(TYPES)))
    answers, calls = native(booster), DenseCalls(booster)
    for rows in (asked, asked[:3]):
        assert answers.margins(rows).tobytes() == calls.margins(rows).tobytes()


@pytest.mark.parametrize("worth", [np.nan, np.inf, -np.inf, 300.0, -300.0])
def test_sums_that_are_no_chance(worth: float) -> None:
    """A sum that is too large, or none, becomes what XGBoost makes of it."""

    def change(model: dict[str, Any]) -> None:
        tree = model["trees"][0]
        found = zip(tree["left_children"], tree["split_conditions"], strict=True)
        tree["split_conditions"] = [worth if left < 0 else threshold for left, threshold in found]

    booster = of_json(fitted("binary", rounds=2), change)
    assert_same(booster, native(booster))


def test_rows_of_any_memory() -> None:
    """Doubles, rows that nobody may write to, and rows at an address that is none of a float."""
    answers, asked = native(fitted("binary")), matrix(40)
    expected = answers.predict(asked).tobytes()
    written = asked.copy()
    written.flags.writeable = False
    askew = np.ndarray(asked.shape, np.float32, buffer=bytearray(1) + asked.tobytes(), offset=1)
    assert not askew.flags.aligned
    given_as: tuple[Any, ...] = (asked.astype(np.float64), written, askew)
    for rows in given_as:
        assert answers.predict(rows).tobytes() == expected


@given(
    seed=strategies.integers(0, 2**32 - 1),
    task=strategies.sampled_from(sorted(OBJECTIVES)),
    settings=strategies.fixed_dictionaries(
        {
            "max_depth": strategies.sampled_from([1, 5, 14]),
            "grow_policy": strategies.sampled_from(["depthwise", "lossguide"]),
            "max_leaves": strategies.sampled_from([0, 2, 40]),
            "num_parallel_tree": strategies.sampled_from([1, 3]),
            "subsample": strategies.sampled_from([0.5, 1.0]),
            "gamma": strategies.sampled_from([0.0, 1.0, 30.0]),
            "scale_pos_weight": strategies.sampled_from([0.01, 1.0, 1_000.0]),
            "max_cat_to_onehot": strategies.sampled_from([1, 100]),
            "max_cat_threshold": strategies.sampled_from([1, 64]),
        }
    ),
)
@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
def test_any_trees_on_any_rows(seed: int, task: str, settings: dict[str, Any]) -> None:
    """However the trees grew, and whatever is asked: endless values, levels that there are not, halves of levels, nothing at all."""
    random = np.random.default_rng(seed)
    booster = fitted(task, rows=int(random.integers(2, 600)), rounds=2, seed=seed, **settings)
    asked = matrix(100, seed=seed)
    odd = np.array(
        [np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38, -1.0, -0.5, 5.5, 1 << 24, np.nan], np.float32
    )
    asked = np.where(random.random(asked.shape) < 0.2, random.choice(odd, asked.shape), asked)
    answers, calls = native(booster), DenseCalls(booster)
    for rows in (asked, asked[:1], asked[3:6], np.full((2, len(TYPES)), np.nan, dtype=np.float32)):
        assert answers.predict(rows).tobytes() == calls.predict(rows).tobytes()
        assert answers.margins(rows).tobytes() == calls.margins(rows).tobytes()


def test_a_row_is_answered_alike_in_any_company() -> None:
    """Rows that are asked together get, to the last bit, what each gets alone: requests may share a call."""
    answers, asked = native(fitted("multiclass")), matrix(200)
    together = answers.predict(asked)
    assert all(
        answers.predict(asked[place : place + 1]).tobytes() == together[place].tobytes() for place in range(len(asked))
    )


def test_threads_do_not_get_each_others_answers() -> None:
    """Eight threads that ask at once for different rows get their own, few rows and many."""
    booster = fitted("binary")
    answers, calls = native(booster), DenseCalls(booster)
    asked = [matrix(rows, seed=rows) for rows in (1, 2, 50, 300, 301, 600, 2_000, 3_000)]
    expected = [calls.predict(each).tobytes() for each in asked]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(50):
            assert [found.tobytes() for found in threads.map(answers.predict, asked)] == expected


def test_what_xgboost_refuses_is_said() -> None:
    """A matrix of other columns is an error with XGBoost's words; none is answered with none."""
    answers = native(fitted("binary"))
    with pytest.raises(xgboost.core.XGBoostError, match=r"(?i)columns|features"):
        answers.predict(np.zeros((1, len(TYPES) + 3), dtype=np.float32))
    assert answers.predict(matrix(0)).shape == (0,)


@pytest.mark.parametrize(
    "settings",
    [
        {"booster": "dart"},
        {"objective": "count:poisson", "base_score": 1.0},
        {"booster": "gblinear", "updater": "shotgun"},
    ],
    ids=["trees that are weighed", "another objective", "no trees"],
)
def test_what_is_not_laid_out_xgboost_answers(settings: dict[str, Any]) -> None:
    """Whatever the code does not know is left to XGBoost."""
    label = np.arange(300) % 5
    booster = xgboost.train({"nthread": 1, **settings}, xgboost.DMatrix(np.nan_to_num(matrix(300)), label=label), 3)
    assert isinstance(native_trees.quickest(booster).__self__, DenseCalls)  # type: ignore[attr-defined]


def test_more_trees_than_a_start_has_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is to be ready in seconds, also for a model of a hundred thousand trees."""
    monkeypatch.setattr(native_trees, "MOST_TREES", 15)
    assert isinstance(native_trees.quickest(fitted("binary", num_parallel_tree=2)).__self__, DenseCalls)  # type: ignore[attr-defined]
    native(fitted("binary"))


def test_a_form_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document with a sign that nobody reads here, as another XGBoost may write, leaves the answer to XGBoost."""
    monkeypatch.delitem(native_trees.ubjson._TYPES, ord("d"))
    assert isinstance(native_trees.quickest(fitted("binary")).__self__, DenseCalls)  # type: ignore[attr-defined]


def test_other_bits_are_noticed(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Code that answers one bit otherwise is not asked, and the log says so."""
    laid_out = tree_layout.of

    def otherwise(model: dict[str, Any]) -> tree_layout.TreeLayout:
        layout = laid_out(model)
        layout.intercepts[0] = np.nextafter(layout.intercepts[0], np.float32(1))
        return layout

    monkeypatch.setattr(tree_layout, "of", otherwise)
    with caplog.at_level(logging.WARNING):
        assert isinstance(native_trees.quickest(fitted("regression")).__self__, DenseCalls)  # type: ignore[attr-defined]
    assert "answers otherwise than XGBoost" in caplog.text


def test_other_bits_of_a_row_alone_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows take another way through the code than many: that way is tried too."""
    laid_out = tree_layout.of

    def otherwise(model: dict[str, Any]) -> tree_layout.TreeLayout:
        layout = laid_out(model)
        layout.steps["threshold"][layout.steps["above"] == layout.steps["below"]] += 1
        return layout

    booster = fitted("regression")
    monkeypatch.setattr(tree_layout, "of", otherwise)
    assert isinstance(native_trees.quickest(booster).__self__, DenseCalls)  # type: ignore[attr-defined]


def truncated(library: Path, source: Path) -> None:
    recorded(library, source)
    library.write_bytes(library.read_bytes()[:9_000])


def of_another_source(library: Path, source: Path) -> None:
    older = library.with_name(source.name)
    older.write_text(source.read_text() + "\n")
    recorded(library, older)


def of_another_machine(library: Path, source: Path) -> None:
    library.write_bytes(b"MZ" + library.read_bytes()[2:])
    recorded(library, source)


def without_a_record(library: Path, source: Path) -> None:
    assert library.exists()
    assert source.exists()


@pytest.mark.parametrize("broken", [truncated, of_another_source, of_another_machine, without_a_record])
def test_code_that_cannot_be_trusted_is_not_loaded(
    broken: Callable[[Path, Path], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A library that would end the process, or read beyond a model, is not loaded: XGBoost answers, and the log says why, once."""
    made = compiled(native_trees.SOURCE, tmp_path / "libtrees.so")
    broken(made, native_trees.SOURCE)
    monkeypatch.setattr(native_trees, "LIBRARY", made)
    booster = fitted("binary", rounds=1)
    for _ in range(2):
        assert isinstance(native_trees.quickest(booster).__self__, DenseCalls)  # type: ignore[attr-defined]
    [said] = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert str(made) in said
    assert "install Argosy again" in said


def test_without_the_code_xgboost_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation without a compiler answers all the same."""
    monkeypatch.setattr(native_trees, "LIBRARY", tmp_path / "none.so")
    assert isinstance(native_trees.quickest(fitted("binary")).__self__, DenseCalls)  # type: ignore[attr-defined]


BROKEN: dict[str, tuple[str, Callable[[list[Any]], list[Any] | None]]] = {
    "a child beyond the last": ("right_children", lambda found: [10_000, *found[1:]]),
    "a way back": ("left_children", lambda found: [1, 1, *found[2:]]),
    "a feature that there is not": ("split_indices", lambda found: [99, *found[1:]]),
    "a list that is too short": ("split_indices", lambda found: found[1:]),
    "two ways to one node": ("left_children", lambda found: [2, *found[1:]]),
    "a split at no number": ("split_conditions", lambda found: [float("nan"), *found[1:]]),
    "a split below all numbers": ("split_conditions", lambda found: [float("-inf"), *found[1:]]),
    "a level below zero": ("categories", lambda found: [-1, *found[1:]]),
    "a level without end": ("categories", lambda found: [1 << 31, *found[1:]]),
    "a set that ends too soon": ("categories", lambda found: found[:-1]),
    "a set of no split": ("categories_nodes", lambda found: [9_999, *found[1:]]),
    "something else instead of a list": ("left_children", lambda _: None),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_no_place_is_out_of_range(broken: str) -> None:
    """Trees that lead out of themselves are not laid out: the code looks at no place twice."""
    model = json.loads(bytes(fitted("binary").save_raw("json")))
    name, change = BROKEN[broken]
    tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
    tree[name] = change(tree[name])
    with pytest.raises(tree_layout.Unsupported):
        tree_layout.of(model)


def compiled(source: Path, to: Path, *flags: str) -> Path:
    """The library of *source*."""
    strict = ("-Wall", "-Wextra", "-Werror")
    command = ["cc", "-std=gnu11", "-O3", "-ffp-contract=off", *strict, "-fPIC", "-shared", *flags, "-o", str(to)]
    subprocess.run([*command, str(source), "-lm"], check=True)
    return to


def recorded(library: Path, source: Path) -> None:
    """Say beside *library* that *source* is what it was compiled from."""
    native_trees.record_of(library).write_bytes(native_trees.record(source, library))


@pytest.fixture(params=[512, 2, 0], ids=["AVX-512", "AVX2", "anywhere"])
def library(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code as other processors run it."""
    made = compiled(native_trees.SOURCE, tmp_path / "trees.so", f"-DNEWEST={request.param}")
    recorded(made, native_trees.SOURCE)
    monkeypatch.setattr(native_trees, "LIBRARY", made)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("task", OBJECTIVES)
def test_the_same_bits_on_other_processors(task: str) -> None:
    """What a processor lacks changes how long it takes, and nothing else."""
    booster = fitted(task)
    assert_same(booster, native(booster))


def test_a_thread_that_takes_small_numbers_for_zero(tmp_path: Path) -> None:
    """Some libraries set a thread so; a threshold next to zero stays what it is, and the thread what it was."""
    source = tmp_path / "mode.c"
    source.write_text(
        "#include <xmmintrin.h>\nunsigned get(void) { return _mm_getcsr(); }\nvoid set(unsigned mode) { _mm_setcsr(mode); }\n"
    )
    try:
        mode = ctypes.PyDLL(str(compiled(source, tmp_path / "mode.so")))
    except subprocess.CalledProcessError:
        pytest.skip("not a processor of this kind")
    booster = fitted("regression", max_depth=6)
    answers, asked = native(booster), matrix(500)
    asked[:, 0] = np.arange(500) % 3 - 1
    expected, before = answers.margins(asked).tobytes(), mode.get()
    mode.set(before | 0x8040)
    try:
        found, kept = answers.margins(asked).tobytes(), mode.get()
    finally:
        mode.set(before)
    assert found == expected
    assert kept & 0x8040 == 0x8040


def test_more_splits_than_a_stack_has_room_for() -> None:
    """A model whose categories would not fit on a thread's stack is left to XGBoost."""
    model = json.loads(bytes(fitted("regression", rounds=1).save_raw("json")))
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    assert trees[0]["categories_nodes"]
    times = tree_layout.COLUMNS * tree_layout.BLOCK // len(trees[0]["categories_nodes"]) + 1
    model["learner"]["gradient_booster"]["model"]["trees"] = trees * times
    model["learner"]["gradient_booster"]["model"]["tree_info"] = [0] * times
    with pytest.raises(tree_layout.Unsupported, match="columns"):
        tree_layout.of(model)
