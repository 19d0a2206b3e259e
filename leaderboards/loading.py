"""A run as pandas frames, for notebooks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.harness import store
from bench.leaderboards.runs import Run, open_run

if TYPE_CHECKING:
    from pandas import DataFrame

SCORED = "task", "sample", "draw", "group", "verdict"
JUDGED = "extracted", "detail"
WRITTEN = "text", "thinking", "finish_reason", "prompt_tokens", "completion_tokens"
ESTIMATED = "kind", "name", "by", "metric", "value", "low", "high", "n"
COUNTS = "draw", "prompt_tokens", "completion_tokens"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A run as frames."""

    run: Run
    samples: "DataFrame"
    """a row for each answer: task, sample, draw, group, verdict, a column for each value, text,
    thinking, extracted, detail, finish_reason, prompt_tokens, completion_tokens"""
    estimates: "DataFrame"
    """a row for each metric of each task and group: kind, name, by, metric, value, low, high, n"""


def load(run: str | Path) -> Loaded:
    """Load a finished run.

    What an answer has not got, as a value of another task or the text where texts were weighed, is
    missing (NaN or NA). An answer that could not be scored has the verdict infrastructure_error.

    Raises:
        BenchError: it is no run, not finished, or damaged.

    """
    opened = open_run(Path(run))
    return Loaded(opened, samples_of(opened), _estimates(opened))


def samples_of(run: Run) -> "DataFrame":
    """Give a row for each answer of a run, in the order of its scores."""
    import pandas as pd  # heavy

    places: dict[str, int] = {}
    columns: dict[str, dict[int, Any]] = {name: {} for name in (*SCORED, *JUDGED, *WRITTEN)}
    values: dict[str, dict[int, float]] = {}
    for record in store.read_records(run.folder / store.SCORES):
        at = places.setdefault(record["key"], len(places))
        for name in (*SCORED, *JUDGED):
            columns[name][at] = clean(record.get(name))
        for column in values.values():
            column.pop(at, None)  # of an answer that was scored again
        for name, value in record["values"].items():
            values.setdefault(name, {})[at] = value
    for record in store.read_records(run.folder / store.RESPONSES):
        if record["key"] in places:
            for name, value in _written(record):
                columns[name][places[record["key"]]] = value
    index = range(len(places))
    # A value may be called like a column.
    named = {
        f"value_{name}" if name in columns else name: column for name, column in values.items()
    }
    made = {
        **{name: pd.Series(columns[name], index, dtype=_kind(name)) for name in SCORED},
        **{name: pd.Series(column, index, dtype=float) for name, column in named.items()},
        **{
            name: pd.Series(columns[name], index, dtype=_kind(name)) for name in (*WRITTEN, *JUDGED)
        },
    }
    return pd.DataFrame(made)


def _kind(name: str) -> str:
    return "Int64" if name in COUNTS else "str"


def _written(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "texts" in record:
        yield "text", clean("".join(record["texts"]))
    for name in WRITTEN[1:]:
        if name in record:
            yield name, clean(record[name])


def clean(value: Any) -> Any:
    """Replace lone surrogates, which models may write and frames cannot hold."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _estimates(run: Run) -> "DataFrame":
    import pandas as pd

    rows = [
        {
            "kind": kind.removesuffix("s"),
            "name": name,
            "by": entry.get("by", ""),
            "metric": metric,
            **{part: numbers.get(part) for part in ("value", "low", "high", "n")},
        }
        for kind in ("tasks", "groups")
        for name, entry in run.summary[kind].items()
        for metric, numbers in entry["metrics"].items()
    ]
    found = pd.DataFrame(rows, columns=list(ESTIMATED))
    return found.astype({"value": float, "low": float, "high": float, "n": "Int64"})
