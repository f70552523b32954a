"""Lays the trees of a booster out as :file:`native/trees.c` walks them: from XGBoost's own document to arrays, each place in range.

The form of that document is published with XGBoost (``doc/model.schema``); what each array means here stands in the C file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

AS_IT_IS, LOGISTIC, SOFTMAX = range(3)
TRANSFORMS = {"binary:logistic": LOGISTIC, "multi:softprob": SOFTMAX, "reg:squarederror": AS_IT_IS}
"""What an objective makes of the sums: those that :mod:`boosting` fits with."""

LARGE = 112
"""Splits from which on rows walk down a tree, and are not asked all of its splits: about where both take as long."""
BLOCK = 32
"""Rows of a block."""
COLUMNS = 4_096
"""Columns of a block, 128 bytes each, that there is room for on the stack of a thread."""
NARROW = 32
"""Levels that have room in a word."""
LEVELS = 1 << 24
"""Levels that a feature may have: XGBoost's own bound, up to which a float tells each from the next."""
TABLES = 1 << 26
"""Bytes of tables of levels that a model may have; XGBoost keeps the same in bits."""

STEP = np.dtype([("column", "u4"), ("threshold", "f4"), ("above", "u4"), ("below", "u4")])
LAST = np.dtype([("column", "u4"), ("threshold", "f4"), ("above", "f4"), ("below", "f4")])
INNER = STEP
CATEGORY = np.dtype([("column", "u4"), ("feature", "u4"), ("table", "u4"), ("word", "u4")])
_COUNTS = ("group", "depth", "splits", "first_step", "first_category", "categories")
_KINDS = ("first_leaf", "leaves", "first_last", "lasts", "first_inner", "inners")
TREE = np.dtype([(name, "u4") for name in (*_COUNTS, *_KINDS)])
_LEAF, _LAST, _INNER = range(3)


class Unsupported(Exception):
    """What there is about a model that is not laid out: XGBoost answers for it."""


@dataclass(frozen=True)
class TreeLayout:
    """The trees of a model, in arrays named as those in the C file."""

    features: int
    groups: int
    transform: int
    intercepts: Array
    """One a group, on the scale of its answers: before :attr:`transform` is undone."""
    levels: Array
    tree: Array
    steps: Array
    category: Array
    tables: Array
    leaves: Array
    lasts: Array
    inners: Array

    @property
    def columns(self) -> int:
        """Columns that a block needs: two a feature, one always missing, and the categories of the tree that has the most. A row that walks
        alone has a place in them for the categories of all trees."""
        numbers = 2 * self.features + 1
        return max(numbers + int(self.tree["categories"].max()), (numbers + len(self.category)) // BLOCK + 1)

    @property
    def slots(self) -> int:
        """Slots that the tree needs which needs the most."""
        counted = self.tree["leaves"] + self.tree["lasts"] + self.tree["inners"]
        return max(1, int(counted.max()))


class _Nodes(NamedTuple):
    """The nodes of all trees, one tree behind the other; places are those in these arrays."""

    tree: Array
    left: Array
    right: Array
    is_leaf: Array
    threshold: Array
    """Of a leaf what it is worth."""
    feature: Array
    missing_left: Array


class _Splits(NamedTuple):
    """What a split asks, in the C file's form: a column, a threshold, and the sides by whether a value is below it."""

    column: Array
    threshold: Array
    above: Array
    below: Array


def of(model: dict[str, Any]) -> TreeLayout:
    """Lay out *model*, XGBoost's document. Raises Unsupported, also where it is of a form that is not known here."""
    try:
        return _of(model)
    except (ArithmeticError, LookupError, TypeError, ValueError) as problem:
        raise Unsupported(f"its document is of a form that is not known: {problem!r}") from problem


def _of(model: dict[str, Any]) -> TreeLayout:
    learner = model["learner"]
    objective, parameters = learner["objective"]["name"], learner["learner_model_param"]
    booster = learner["gradient_booster"]
    if objective not in TRANSFORMS:
        raise Unsupported(f"its objective is {objective}")
    if booster["name"] != "gbtree" or int(parameters.get("num_target", "1")) != 1:
        raise Unsupported(f"it is a {booster['name']} of {parameters.get('num_target')} targets")
    if booster["model"].get("cats", {}).get("enc"):
        raise Unsupported("it has names of levels of its own")
    trees = booster["model"]["trees"]
    if not trees or any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        raise Unsupported("its leaves are vectors, or it has none")
    features, groups = int(parameters["num_feature"]), max(1, int(parameters["num_class"]))
    adds_to = booster["model"]["tree_info"]
    if features < 1 or len(adds_to) != len(trees) or not all(0 <= group < groups for group in adds_to):
        raise Unsupported("it has no features, or a tree adds to a class that there is not")
    found = _laid_out(trees, features, adds_to)
    intercepts = np.array(_numbers(parameters["base_score"]), dtype=np.float32)
    layout = TreeLayout(
        features, groups, TRANSFORMS[objective], np.broadcast_to(intercepts, groups).astype(np.float32), *found
    )
    if (largest := layout.columns + features + layout.slots + groups) > COLUMNS:
        raise Unsupported(f"a block of rows would need {largest:,} columns")
    return layout


def _numbers(said: str) -> list[float]:
    """Those of ``[5E-1,1E0]``, or of a single number, as older versions wrote one."""
    return [float(number) for number in said.strip("[]").split(",")]


def _laid_out(trees: Sequence[dict[str, Any]], features: int, groups: Sequence[int]) -> tuple[Array, ...]:
    nodes, starts = _nodes(trees, features)
    depths, parents = _depths(nodes, starts)
    there = depths >= 0
    category, columns, levels, tables = _categories(trees, nodes, starts, there & ~nodes.is_leaf, features)
    splits = _splits(nodes, columns)
    asked = splits.threshold[there & ~nodes.is_leaf]
    # No larger number says "not below" of these; XGBoost itself makes none.
    if (np.isnan(asked) | (asked == -np.inf)).any():
        raise Unsupported("a split is at no number")
    counted = np.zeros(len(trees), dtype=TREE)
    counted["group"] = groups
    counted["first_step"] = starts
    np.maximum.at(counted["depth"], nodes.tree[there], depths[there].astype(np.uint32))
    counted["splits"] = np.bincount(nodes.tree[there & ~nodes.is_leaf], minlength=len(trees))
    counted["categories"] = np.bincount(nodes.tree[columns >= 0], minlength=len(trees))
    counted["first_category"] = np.cumsum(counted["categories"]) - counted["categories"]
    steps = np.zeros(len(nodes.tree), dtype=STEP)
    places = np.arange(len(nodes.tree))
    steps["column"] = np.where(nodes.is_leaf, 2 * features, splits.column)
    steps["threshold"] = splits.threshold
    for side, to in (("above", splits.above), ("below", splits.below)):
        steps[side] = np.where(nodes.is_leaf, places, to) - starts[nodes.tree]
    return levels, counted, steps, category, tables, *_slots(nodes, splits, depths, parents, counted)


def _nodes(trees: Sequence[dict[str, Any]], features: int) -> tuple[_Nodes, Array]:
    """The nodes, and where those of each tree begin. Raises Unsupported where one names what is not there."""
    sizes = np.array([len(tree["left_children"]) for tree in trees])
    starts = np.cumsum(sizes) - sizes
    tree = np.repeat(np.arange(len(trees)), sizes)

    def joined(name: str, kind: type) -> Array:
        listed: Array = np.concatenate([each[name] for each in trees]).astype(kind)
        if len(listed) != len(tree):
            raise Unsupported(f"a tree has more or fewer {name} than nodes")
        return listed

    left, right = joined("left_children", np.int64), joined("right_children", np.int64)
    feature = joined("split_indices", np.int64)
    is_leaf = left < 0
    if not sizes.all():
        raise Unsupported("a tree has no node")
    for side in (left, right):
        inside = (side > 0) & (side < sizes[tree])
        if not (inside | is_leaf).all() or not ((feature >= 0) & (feature < features) | is_leaf).all():
            raise Unsupported("a split leads to what is not there")
    found = _Nodes(
        tree,
        left + starts[tree],
        right + starts[tree],
        is_leaf,
        joined("split_conditions", np.float32),
        feature,
        joined("default_left", np.bool_),
    )
    return found, starts


def _depths(nodes: _Nodes, starts: Array) -> tuple[Array, Array]:
    """How far each node is from its root, -1 of one that no way leads to; and its parent, -1 of a root. Raises Unsupported for a circle."""
    depths, parents = np.full(len(nodes.tree), -1), np.full(len(nodes.tree), -1)
    reached, depth = starts, 0
    while len(reached):
        if (depths[reached] >= 0).any():
            raise Unsupported("a tree leads back to one of its own nodes")
        depths[reached] = depth
        split = reached[~nodes.is_leaf[reached]]
        parents[nodes.left[split]] = parents[nodes.right[split]] = split
        reached, depth = np.concatenate([nodes.left[split], nodes.right[split]]), depth + 1
        # Two ways to one node, level after level, would be more than there is memory for.
        if len(np.unique(reached)) != len(reached):
            raise Unsupported("two splits of a tree lead to the same node")
    return depths, parents


def _categories(
    trees: Sequence[dict[str, Any]], nodes: _Nodes, starts: Array, asked: Array, features: int
) -> tuple[Array, Array, Array, Array]:
    """The splits by category, the column of each node that is one (-1: none), the levels of each feature, and the tables.

    A node that was pruned keeps its set of levels, as a leaf or where no way leads to any more: *asked* says which nodes are splits still.

    A level that is in a split's set goes to the right, any other to the left, a missing value to where missing ones go. Where that is the
    right, 1 in the column means the right, else the left: so it is 1 for a missing value.
    """
    columns = np.full(len(nodes.tree), -1)
    splits: list[tuple[int, int, Array]] = []
    """Place of the node, column, and the set's levels."""
    for tree, start in zip(trees, starts.tolist(), strict=True):
        listed = (np.asarray(tree[f"categories_{name}"]).tolist() for name in ("nodes", "segments", "sizes"))
        column = 2 * features + 1
        for node, first, size in zip(*listed, strict=True):
            members = np.asarray(tree["categories"][first : first + size], dtype=np.int64)
            if not 0 <= node < len(tree["left_children"]) or len(members) != size:
                raise Unsupported("a set of levels is of no split, or is not there")
            if not ((members >= 0) & (members < LEVELS)).all():
                raise Unsupported("a level is below zero, or has a number that is too large")
            if asked[start + node]:
                splits.append((start + node, column, members))
                column += 1
    levels = np.zeros(features, dtype=np.uint32)
    for node, _, members in splits:
        feature = nodes.feature[node]
        levels[feature] = max(levels[feature], members.max(initial=0) + 1)
    if (needed := sum(int(levels[nodes.feature[node]]) + 2 for node, _, _ in splits)) > TABLES:
        raise Unsupported(f"its levels would need {needed:,} bytes")
    category, tables = np.zeros(len(splits), dtype=CATEGORY), []
    at = 0
    for place, (node, column, members) in enumerate(splits):
        feature, left = nodes.feature[node], bool(nodes.missing_left[node])
        table = np.full(levels[feature] + 2, left, dtype=np.uint8)
        table[members] = not left
        table[-1] = 1
        word = int.from_bytes(np.packbits(table[:NARROW], bitorder="little").tobytes(), "little")
        category[place] = (column, feature, at, word)
        columns[node] = column
        tables.append(table)
        at += len(table)
    return category, columns, levels, np.concatenate([np.zeros(0, np.uint8), *tables])


def _splits(nodes: _Nodes, columns: Array) -> _Splits:
    """What each node asks. A feature's value and its negation are two columns, of which the second is for missing values that go left."""
    left = nodes.missing_left & ~nodes.is_leaf
    with np.errstate(over="ignore"):  # infinity is the next of the largest
        negated = np.nextafter(-nodes.threshold, np.float32(np.inf))
    threshold = np.where(left, negated, nodes.threshold)
    above, below = np.where(left, nodes.left, nodes.right), np.where(left, nodes.right, nodes.left)
    by_category = columns >= 0
    return _Splits(
        np.where(by_category, columns, 2 * nodes.feature + left),
        np.where(by_category, 0.5, threshold).astype(np.float32),
        above,
        below,
    )


def _slots(nodes: _Nodes, splits: _Splits, depths: Array, parents: Array, counted: Array) -> tuple[Array, Array, Array]:
    """Leaves, lasts and inners of all trees that are not large, each behind what it needs; and in *counted* how many each tree has."""
    sides = (splits.above, splits.below)
    both_leaves = ~nodes.is_leaf
    for side in sides:
        both_leaves = both_leaves & nodes.is_leaf[side]
    kinds = np.where(nodes.is_leaf, _LEAF, np.where(both_leaves, _LAST, _INNER))
    # A leaf has a slot where a split beside another split has it for a side, and where it is all that the tree has.
    needed = ~nodes.is_leaf | (parents < 0) | (kinds[parents] == _INNER)
    small = counted["splits"][nodes.tree] < LARGE
    chosen = np.flatnonzero((depths >= 0) & needed & small)
    # The deeper ones first: so the sides of a split stand before it, and the root is the last.
    order = chosen[np.lexsort((-depths[chosen], kinds[chosen], nodes.tree[chosen]))]
    firsts = np.searchsorted(nodes.tree[order], np.arange(len(counted)))
    slot = np.zeros(len(nodes.tree), dtype=np.int64)
    slot[order] = np.arange(len(order)) - firsts[nodes.tree[order]]
    by_kind = [order[kinds[order] == kind] for kind in (_LEAF, _LAST, _INNER)]
    for of_kind, (first, count) in zip(by_kind, zip(_KINDS[::2], _KINDS[1::2], strict=True), strict=True):
        counted[count] = np.bincount(nodes.tree[of_kind], minlength=len(counted))
        counted[first] = np.cumsum(counted[count]) - counted[count]
    leaves, last, inner = by_kind
    lasts, inners = np.zeros(len(last), dtype=LAST), np.zeros(len(inner), dtype=INNER)
    for asked, places in ((lasts, last), (inners, inner)):
        asked["column"], asked["threshold"] = splits.column[places], splits.threshold[places]
    for name, side in zip(("above", "below"), sides, strict=True):
        lasts[name] = nodes.threshold[side[last]]
        inners[name] = slot[side[inner]]
    return nodes.threshold[leaves].astype(np.float32), lasts, inners
