"""Guesses at a model from a table that nobody has described yet: task, label, key, what each column is; each guess with its reason.

What somebody says (:class:`Wishes`) is taken at its word. Where a table can teach no model, the reason is one line. How a file becomes
profiles, and guesses become files, is others' business.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from argosy import errors
from argosy.domain import figures, reserved_names
from argosy.domain.column_profiles import ColumnProfile, TableProfile
from argosy.domain.model_settings import Task
from argosy.domain.suggestion import choices

Role = Literal["label", "key", "time", "feature", "left out"]

FEWEST_ROWS = 100
"""Rows below which a holdout of a fifth and five folds say nothing."""
FEWEST_OF_A_CLASS = 10
"""Rows of a class: two for each of five folds and the holdout to have some."""
MOST_CLASSES = 50
CLASSES_OF_NUMBERS = 10
"""Different whole numbers up to which a label is taken for classes."""
MOST_CATEGORIES = 1000
"""Different texts of a feature; more are names or free text."""
GROUPS = 10
"""Different values up to which a sensitive column divides people into groups."""
MADE_KEY = "row_id"
NONE = "none"
"""The word that says of a list that nothing is in it."""

MOST_OTHER_LABELS = 5
"""Columns that are named beside the one that was guessed to be what is predicted."""
LABEL_NAMES = (
    "target",
    "label",
    "class",
    "outcome",
    "response",
    "y",
    "churn",
    "churned",
    "default",
    "survived",
    "diagnosis",
    "species",
    "attrition",
    "exited",
    "fraud",
    "is_fraud",
    "saleprice",
    "sale_price",
    "price",
    "preis",
)
POSITIVE_WORDS = (
    "yes",
    "true",
    "1",
    "y",
    "t",
    "positive",
    "pos",
    "churn",
    "churned",
    "default",
    "fraud",
    "malignant",
    "dead",
    "died",
)
INDEX = re.compile(r"__index_level_\d+__|rownames|row_names|Unnamed: 0")
"""What Pandas and R call an index without a name when they write a table: of a frame that was filtered, row numbers with gaps."""
KEY_NAME = re.compile(
    r"(?i:(^|[_ .-])(id|key|uuid|guid|no\.?|nr\.?|number|nummer)$)|[a-zà-ÿ](Id|ID|Key|Nr|No|Number)$|^[A-Z]ID$"
)
"""Also as the end of a name whose words begin with capitals, and with one capital in front, as of a parcel."""
PEOPLE = re.compile(
    r"customer|client|user|person|patient|member|employee|account|subject|applicant|student|passenger", re.IGNORECASE
)
PERSONAL = re.compile(
    r"(^|_)(e?mail|phone|mobile|telephone|name|first_?name|last_?name|surname|address|street|zip|zip_?code|postcode|postal_?code|birth_?date|"
    r"date_?of_?birth|dob|ssn|passport|iban|ip|ip_?address|national_?id|vorname|nachname|straße|strasse|adresse|plz|telefon|geburtsdatum)($|_)",
    re.IGNORECASE,
)
SENSITIVE = re.compile(
    r"(^|_)(sex|gender|female|male|race|ethnicity|ethnic|nationality|religion|marital|marital_?status|disability|disabled|pregnant|age|"
    r"geschlecht|alter|herkunft|nationalität|staatsangehörigkeit|familienstand|behinderung)($|_)",
    re.IGNORECASE,
)
UNITS = {
    "mm": "mm", "cm": "cm", "km": "km", "m": "m", "g": "g", "kg": "kg", "lb": "lb", "lbs": "lb", "usd": "USD", "eur": "EUR", "gbp": "GBP",
    "ms": "ms", "seconds": "s", "minutes": "min", "min": "min", "hours": "h", "days": "days", "weeks": "weeks", "months": "months",
    "years": "years", "pct": "%", "percent": "%", "mph": "mph", "kmh": "km/h", "mpg": "mpg", "miles": "miles", "feet": "ft", "inches": "in",
}  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What somebody says of the table; what is empty is guessed."""

    target: str | None = None
    task: Task | None = None
    positive: str | None = None
    key: str | None = None
    time: str | None = None
    personal: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guess:
    """A decision that was taken in somebody's place, and why."""

    what: str
    value: str
    reason: str


@dataclass(frozen=True)
class GuessedColumn:
    """One column of the contract."""

    profile: ColumnProfile
    role: Role
    reason: str
    meaning: str
    unit: str | None = None
    personal: bool = False
    sensitive: bool = False

    @property
    def name(self) -> str:
        """The column's name."""
        return self.profile.name

    @property
    def nullable(self) -> bool:
        """Whether a missing value is expected: there are some."""
        return self.profile.missing > 0


@dataclass(frozen=True)
class NewModel:
    """A whole guess."""

    task: Task
    label: ColumnProfile
    label_sql: str
    classes: tuple[str, ...]
    key: str
    key_is_made: bool
    time: str | None
    columns: tuple[GuessedColumn, ...]
    guesses: tuple[Guess, ...]

    def of_role(self, role: Role) -> list[GuessedColumn]:
        """The columns of *role*."""
        return [column for column in self.columns if column.role == role]

    def known_later(self, given_away: Sequence[tuple[str, float]]) -> "NewModel":
        """This model without the features of *given_away*: each tells the label so well that it is known only with it."""
        found = dict(given_away)
        columns = tuple(
            dataclasses.replace(column, role="left out", reason=_too_good(found[column.name]))
            if column.name in found
            else column
            for column in self.columns
        )
        return dataclasses.replace(self, columns=columns)


def of(table: TableProfile, wishes: Wishes) -> NewModel:
    """The model guessed from *table*. Raises UsageError for a wish that it cannot have, Rejected where it can teach no model."""
    _refuse_unknown(table, wishes)
    if table.rows < FEWEST_ROWS:
        raise errors.Rejected(
            f"{table.rows} rows are too few to hold a fifth out and learn from the rest in five parts; it takes {FEWEST_ROWS} at least"
        )
    label, label_guess = _label(table, wishes)
    if (reserved := reserved_names.of_column(label.name, [])) is not None:
        raise errors.UsageError(f"the label cannot be read: {reserved}; call the column otherwise in the file")
    task, task_guess = _task(label, wishes)
    classes, sql, class_guesses = _classes(label, task, wishes)
    key, made, key_guess = _key(table, label, wishes)
    columns = tuple(_column(each, label, key, wishes) for each in table.columns if not _is_unwanted(each, key, wishes))
    if made:
        profile = ColumnProfile(MADE_KEY, "integer", table.rows, 0, table.rows, counts_up=True)
        columns = (GuessedColumn(profile, "key", key_guess.reason, "The row; its number in the file."), *columns)
    if not any(column.role == "feature" for column in columns):
        raise errors.Rejected(f"no column is left to learn {label.name!r} from: {_left_out(columns)}")
    guesses = (label_guess, task_guess, *class_guesses, key_guess, *_of_times(table, wishes))
    return NewModel(task, label, sql, classes, key, made, wishes.time, columns, guesses)


def _is_unwanted(column: ColumnProfile, key: str, wishes: Wishes) -> bool:
    """Whether the contract does not name *column*, so that it is never read."""
    dropped = column.name in wishes.drop and column.name not in wishes.sensitive
    return dropped or reserved_names.of_column(column.name, [key]) is not None


def _refuse_unknown(table: TableProfile, wishes: Wishes) -> None:
    known = [column.name for column in table.columns]
    single = {"--target": wishes.target, "--id": wishes.key, "--time": wishes.time}
    named = [(option, name) for option, name in single.items() if name is not None]
    for field in ("personal", "sensitive", "drop", "keep"):
        named += [(f"--{field}", name) for name in getattr(wishes, field) if name != NONE]
    for option, name in named:
        if name not in known:
            raise errors.UsageError(f"{option} {name}: the table has no such column{choices(name, known, 'Columns')}")
    if wishes.target is not None and wishes.target in (wishes.key, wishes.time, *wishes.drop):
        raise errors.UsageError(
            f"--target {wishes.target}: what is predicted can be neither key nor time, nor left out"
        )


def _label(table: TableProfile, wishes: Wishes) -> tuple[ColumnProfile, Guess]:
    if wishes.target is not None:
        found = table.column(wishes.target)
        return found, Guess("label", found.name, "as you said")
    free = [column for column in table.columns if column.name not in (wishes.key, wishes.time, *wishes.drop)]
    named = [column for name in LABEL_NAMES for column in free if column.name.casefold() == name]
    if named:
        usual = "a column of this name is usually what is predicted"
        return named[0], Guess("label", named[0].name, f"{usual}; --target names another{_such_as(named[1:])}")
    fit = [column for column in free if _unfit(column) is None and not _is_called_like_a_key(column)]
    if not fit:
        raise errors.Rejected(
            "no column can be predicted: each has one value, is a time, or names its row; name one with --target COLUMN"
        )
    last, others = fit[-1], sorted(fit[:-1], key=lambda column: column.distinct)  # of few values comes first: classes
    how = f"the last of {len(fit)} columns that can be predicted" if others else "no other column can be predicted"
    return last, Guess("label", last.name, f"{how}; --target names another{_such_as(others)}" if others else how)


def _such_as(columns: Sequence[ColumnProfile]) -> str:
    """The first few of *columns*, as what else may be meant; empty where there are none."""
    names = ", ".join(column.name for column in columns[:MOST_OTHER_LABELS])
    return f", such as {names}" if names else ""


def _unfit(column: ColumnProfile) -> str | None:
    """Why *column* cannot be predicted; None where it can."""
    if column.distinct < 2:
        return "has one class, so there is nothing to learn" if column.distinct else "has no value"
    if column.type == "timestamp":
        return "is a time; predict a number or a class made of it"
    if column.counts_up:
        return "counts the rows: it is an id, not an outcome"
    if INDEX.fullmatch(column.name):
        return "is the index that a data frame had, not an outcome"
    if column.type == "string" and column.distinct > MOST_CLASSES:
        alike = (
            "it is an id or free text"
            if column.distinct > column.present * 0.5
            else f"at most {MOST_CLASSES} can be classes"
        )
        return f"has {column.distinct:,} different texts: {alike}"
    return None


def _task(label: ColumnProfile, wishes: Wishes) -> tuple[Task, Guess]:
    if (unfit := _unfit(label)) is not None:
        raise errors.Rejected(f"the label {label.name!r} {unfit}; name another with --target COLUMN")
    guess = _task_guess(label)
    if wishes.task is None:
        return guess[0], Guess("task", *guess)
    numeric = label.type in ("integer", "number")
    fits = {"binary": label.distinct == 2, "multiclass": 3 <= label.distinct <= MOST_CLASSES, "regression": numeric}
    if not fits[wishes.task]:
        raise errors.UsageError(
            f"--task {wishes.task}: the label {label.name!r} is a {label.type} of {label.distinct:,} values; leave it out or say {guess[0]}"
        )
    return wishes.task, Guess("task", wishes.task, "as you said")


def _task_guess(label: ColumnProfile) -> tuple[Task, str]:
    if label.distinct == 2:
        return "binary", f"{label.name!r} has two values"
    if label.type == "string":
        return "multiclass", f"{label.name!r} has {label.distinct} different texts"
    if label.type == "integer" and label.distinct <= CLASSES_OF_NUMBERS:
        return (
            "multiclass",
            f"{label.name!r} has {label.distinct} different whole numbers; --task regression takes them for amounts",
        )
    return "regression", f"{label.name!r} is a number of {label.distinct:,} different values"


def _classes(label: ColumnProfile, task: Task, wishes: Wishes) -> tuple[tuple[str, ...], str, list[Guess]]:
    if wishes.positive is not None and task != "binary":
        raise errors.UsageError(
            f"--positive {wishes.positive}: only a binary task has a positive class; this one is {task}"
        )
    name = quoted(label.name)
    if task == "regression":
        return (), name, []
    counts = dict(label.levels)
    rarest = min(counts, key=lambda level: counts[level])
    if counts[rarest] < FEWEST_OF_A_CLASS:
        raise errors.Rejected(
            f"class {rarest!r} of the label {label.name!r} has {counts[rarest]} rows; each class needs {FEWEST_OF_A_CLASS}: "
            "collect more, join it with another class, or name another --target"
        )
    if task == "multiclass":
        return tuple(sorted(counts, key=_in_order)), (name if label.type == "string" else f"{name}::VARCHAR"), []
    positive, reason = _positive(counts, wishes)
    negative = next(level for level in counts if level != positive)
    return (
        _class_names(label, negative, positive),
        _condition(label, positive),
        [Guess("positive class", f"{label.name} = {positive}", reason)],
    )


def _in_order(level: str) -> tuple[float, str]:
    return (float(level) if re.fullmatch(r"-?\d+(\.\d+)?", level) else 0.0, level)


def _positive(counts: dict[str, int], wishes: Wishes) -> tuple[str, str]:
    if wishes.positive is not None:
        if wishes.positive not in counts:
            raise errors.UsageError(
                f"--positive {wishes.positive}: the label has no such value{choices(wishes.positive, counts, 'It has')}"
            )
        return wishes.positive, "as you said"
    named = [level for level in counts if level.casefold() in POSITIVE_WORDS]
    if len(named) == 1:
        return named[0], f"{named[0]!r} says that it happened; --positive names the other"
    rarer = min(counts, key=lambda level: counts[level])
    return rarer, f"the rarer of the two ({counts[rarer]:,} rows); --positive names the other"


def _class_names(label: ColumnProfile, negative: str, positive: str) -> tuple[str, str]:
    if label.type == "string" and positive.casefold() not in ("yes", "y", "t", "true"):
        return negative, positive
    return f"not {label.name}", label.name


def _condition(label: ColumnProfile, positive: str) -> str:
    name = quoted(label.name)
    if label.type == "boolean":
        return name if positive == "true" else f"NOT {name}"
    if label.type == "string":
        return f"{name} = '{positive.replace(chr(39), chr(39) * 2)}'"
    return f"{name} = {positive}"


def quoted(name: str) -> str:
    """*name* as SQL names a column."""
    return '"' + name.replace('"', '""') + '"'


def _key(table: TableProfile, label: ColumnProfile, wishes: Wishes) -> tuple[str, bool, Guess]:
    if wishes.key is not None:
        found = table.column(wishes.key)
        _refuse_key(found, wishes)
        return found.name, False, Guess("key", found.name, "as you said")
    free = [
        column
        for column in table.columns
        if column.name not in (label.name, wishes.time, *wishes.drop) and _can_be_key(column)
    ]
    if (declared := next((column for column in free if column.name == table.primary_key), None)) is not None:
        return declared.name, False, Guess("key", declared.name, "the primary key of the table")
    for column in free:
        if KEY_NAME.search(column.name) and (column.is_unique or (wishes.time is not None and not column.missing)):
            return (
                column.name,
                False,
                Guess(
                    "key",
                    column.name,
                    "called like one, and " + ("no value is there twice" if column.is_unique else "each row has one"),
                ),
            )
    for column in free:
        if column.counts_up and column.is_unique:
            return column.name, False, Guess("key", column.name, "it counts the rows")
    why = "no column names its row"
    return MADE_KEY, True, Guess("key", MADE_KEY, f"{why}, so rows are numbered; --id names a column, where one does")


def _is_called_like_a_key(column: ColumnProfile) -> bool:
    return column.type == "integer" and column.is_unique and bool(KEY_NAME.search(column.name))


def _can_be_key(column: ColumnProfile) -> bool:
    return column.type in ("string", "integer") and reserved_names.of_key(column.name) is None


def _refuse_key(column: ColumnProfile, wishes: Wishes) -> None:
    if not _can_be_key(column):
        raise errors.UsageError(
            f"--id {column.name}: a {column.type}; a key is text or a whole number, not called {', '.join(reserved_names.OF_EXAMPLES)}"
        )
    if column.missing:
        raise errors.UsageError(f"--id {column.name}: {column.missing:,} rows have none")
    if wishes.time is None and not column.is_unique:
        raise errors.UsageError(
            f"--id {column.name}: {column.rows - column.distinct:,} rows repeat one; --time names their times, if they have some"
        )


def _of_times(table: TableProfile, wishes: Wishes) -> Iterator[Guess]:
    if wishes.time is not None:
        found = table.column(wishes.time)
        if found.type != "timestamp":
            raise errors.UsageError(f"--time {found.name}: it is a {found.type}, no time such as 2026-01-31T08:00:00Z")
        if found.missing:
            raise errors.UsageError(f"--time {found.name}: {found.missing:,} rows have none")
        yield Guess("time", found.name, "as you said")
        return
    times = [column.name for column in table.columns if column.type == "timestamp"]
    yield Guess(
        "time",
        "one moment for all rows",
        f"nobody said otherwise; --time {times[0]}, where a row became true then" if times else "no column is a time",
    )


def _column(column: ColumnProfile, label: ColumnProfile, key: str, wishes: Wishes) -> GuessedColumn:
    personal = column.name in wishes.personal or (not wishes.personal and _is_personal(column, key))
    sensitive = column.name in wishes.sensitive or (
        not wishes.sensitive and bool(SENSITIVE.search(column.name)) and column.name not in (label.name, key)
    )
    role, reason = _role(column, label, key, wishes, personal=personal)
    return GuessedColumn(
        column,
        role,
        reason,
        f"{_words(column.name)}; to be confirmed.",
        unit=_unit(column),
        personal=personal,
        sensitive=sensitive,
    )


def _is_personal(column: ColumnProfile, key: str) -> bool:
    if column.looks_like_mail:
        return True
    if column.name == key:
        return bool(PEOPLE.search(column.name))
    # What has a few values for all rows, such as the kind of a street or whether there is a phone, tells nobody from others.
    return bool(PERSONAL.search(column.name)) and column.distinct > GROUPS


def _role(column: ColumnProfile, label: ColumnProfile, key: str, wishes: Wishes, *, personal: bool) -> tuple[Role, str]:
    if column.name == label.name:
        return "label", f"what is predicted: {_seen(column)}"
    if column.name == key:
        return "key", "says which row is about what"
    if column.name == wishes.time:
        return "time", "when a row became true"
    if column.name in wishes.drop:
        return "left out", "as you said"
    if (unusable := _unusable(column)) is not None:
        return "left out", unusable
    if personal and column.name not in (*wishes.keep, *wishes.personal):
        return "left out", "personal by its name or its values; --keep learns from it"
    if _is_called_like_a_key(column) and column.name not in wishes.keep:
        return "left out", "called like a key, and no value is there twice; --keep learns from it"
    return "feature", _seen(column)


def _unusable(column: ColumnProfile) -> str | None:
    if column.distinct == 0:
        return "it has no value in any row"
    if column.distinct == 1 and column.missing == 0:
        return "it has one value in all rows, so it tells none apart"
    if column.type == "timestamp":
        return "a time is no feature; make a number of it, such as days since then"
    if (reserved := reserved_names.of_feature(column.name)) is not None:
        return f"{reserved}; call it otherwise to learn from it"
    if column.counts_up:
        return "it counts the rows, which says nothing of the next one"
    if INDEX.fullmatch(column.name):
        return "it is the index that a data frame had when it was written, which says nothing of the next row"
    if column.type == "string" and (column.distinct > MOST_CATEGORIES or column.distinct > column.present * 0.5):
        told = "names or free text, no categories"
        return f"{column.distinct:,} different texts in {column.present:,} rows: {column.read_as_text or told}"
    return None


def _seen(column: ColumnProfile) -> str:
    missing = f", missing in {column.missing:,}" if column.missing else ""
    if column.type in ("integer", "number") and column.smallest is not None and column.largest is not None:
        return f"{figures.value(column.smallest)} to {figures.value(column.largest)}{missing}"
    shown = ", ".join(level for level, _ in column.levels[:4])
    more = ", …" if column.distinct > 4 else ""
    return f"{column.distinct:,} values: {shown}{more}{missing}" if shown else f"{column.distinct:,} values{missing}"


def _unit(column: ColumnProfile) -> str | None:
    if column.type not in ("integer", "number"):
        return None
    inside = re.search(r"\(([^()]{1,12})\)\s*$", column.name)
    if inside:
        return inside[1].strip() or None
    return UNITS.get(re.split(r"[_ .]", column.name.casefold())[-1]) if re.search(r"[_ .]", column.name) else None


def _words(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", re.sub(r"[_.\s]+", " ", name)).strip() or name
    return words[0].upper() + words[1:].lower()


def _too_good(alone: float) -> str:
    return (
        f"it alone tells the label ({alone:.3f} of 1), so it is known only with it; --keep learns from it all the same"
    )


def _left_out(columns: Sequence[GuessedColumn]) -> str:
    return (
        "; ".join(f"{column.name}: {column.reason}" for column in columns if column.role == "left out")
        or "there is no other column"
    )
