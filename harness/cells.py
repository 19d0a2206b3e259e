"""Score records to columns of numbers: for each metric one value a sample, or a row of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from bench.harness.core import Metric, Task, Verdict


@dataclass(frozen=True, slots=True)
class Draw:
    """What is kept of one score record; `values` has one entry for each that a metric names."""

    key: str
    """what intervals resample: the sample's group, or the sample where it stands alone"""
    verdict: Verdict
    cut: bool
    empty: bool
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One task: its metrics, the id and key of each sample, and a column for each metric.

    A metric has its column in `columns`, one with a pool in `rows`; None was not scored.
    """

    metrics: Mapping[str, Metric]
    samples: Sequence[str]
    keys: Sequence[str]
    """what intervals resample: a sample's group, or the sample where it stands alone"""
    columns: Mapping[str, Sequence[float | None]]
    rows: Mapping[str, Sequence[tuple[float, ...] | None]]
    draws: Sequence[Draw]
    """of all samples"""


def cells_of(
    tasks: Sequence[Task], scores: Iterable[Mapping[str, Any]], draws: int
) -> dict[str, Cell]:
    """Give a cell for each task by name; records of other tasks are passed over."""
    metrics = {
        task.name: {name: m for name, m in task.metrics.items() if m.draws <= draws}
        for task in tasks
    }
    names = {name: _names(chosen.values()) for name, chosen in metrics.items()}
    answers: dict[str, dict[str, dict[int, Draw]]] = {task.name: {} for task in tasks}
    for record in scores:
        name = record["task"]
        if name in answers:
            sample = answers[name].setdefault(record["sample"], {})
            sample[record["draw"]] = _draw(record, names[name])
    return {name: _cell(metrics[name], answers[name], draws) for name in answers}


def _names(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Give the names of the values that metrics need, each once."""
    return tuple(dict.fromkeys(name for metric in metrics for name in _of(metric)))


def _of(metric: Metric) -> tuple[str, ...]:
    return (metric.of,) if isinstance(metric.of, str) else metric.of


def _draw(record: Mapping[str, Any], names: Iterable[str]) -> Draw:
    verdict = Verdict(record["verdict"])
    values = {} if verdict is Verdict.INFRASTRUCTURE_ERROR else record["values"]
    return Draw(
        key=record["group"] or f"{record['task']}\n{record['sample']}",
        verdict=verdict,
        cut=record["finish_reason"] == "length",
        empty=bool(record["empty"]),
        values=tuple(_number(values.get(name)) for name in names),
    )


def _number(value: float | None) -> float | None:
    """Give a value as a number; infinity and NaN, which JSON lacks, are no scores."""
    return None if value is None or not isfinite(value) else float(value)


def _cell(
    metrics: Mapping[str, Metric], answers: Mapping[str, Mapping[int, Draw]], draws: int
) -> Cell:
    samples = [[sample[number] for number in sorted(sample)] for sample in answers.values()]
    # Of log-likelihoods there is one answer a sample, however many draws the run takes.
    draws = min(draws, max(map(len, samples), default=draws))
    places = {name: at for at, name in enumerate(_names(metrics.values()))}
    metrics = {name: metric for name, metric in metrics.items() if metric.draws <= draws}
    rows = {
        name: [_row(metric, [places[of] for of in _of(metric)], one, draws) for one in samples]
        for name, metric in metrics.items()
    }
    pooled = {name for name, metric in metrics.items() if metric.pool}
    return Cell(
        metrics=metrics,
        samples=list(answers),
        draws=[draw for sample in samples for draw in sample],
        keys=[sample[0].key for sample in samples],
        columns={name: _only(column) for name, column in rows.items() if name not in pooled},
        rows={name: column for name, column in rows.items() if name in pooled},
    )


def _row(
    metric: Metric, places: Sequence[int], sample: Sequence[Draw], draws: int
) -> tuple[float, ...] | None:
    """Give the reduced values of a sample; None where one of them was not scored in every draw."""
    if len(sample) < draws:
        return None
    drawn = [[draw.values[at] for draw in sample] for at in places]
    scored = [[value for value in values if value is not None] for values in drawn]
    if any(len(values) < len(sample) for values in scored):
        return None
    return tuple(map(metric.reduce, scored))


def _only(rows: Iterable[tuple[float, ...] | None]) -> list[float | None]:
    """Give the values of rows that have just one."""
    return [None if row is None else row[0] for row in rows]
