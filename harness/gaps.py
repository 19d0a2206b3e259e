"""How far tasks lie from their baselines, on the same problems.

A sample is paired with the baseline's samples of its group, so that how hard a problem is does not
count. In a group of tasks every pair weighs the same: each holds its own comparison, so that a
task of which less was run shifts nothing.

Where a metric has a pool, values are compared and not samples: of the task and of its baseline on
the problems that both have, and in a group their mean difference over the tasks. There is no
p-value then.

Beside each gap stands how many tokens more the model reads, since noise that leaves a text as long
as it was may still break it into more of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean
from types import MappingProxyType
from typing import Any

from bench.harness.cells import Cell
from bench.harness.core import Metric
from bench.harness.pooling import Side, difference, differing
from bench.harness.stats import estimate, holm, sign_flips


@dataclass(frozen=True, slots=True)
class Pairs:
    """Differences to a baseline, with the key of each; None where a side was not scored."""

    metrics: Mapping[str, Metric]
    """those that both tasks have alike"""
    keys: list[str]
    columns: dict[str, list[float | None]]
    sides: dict[str, list[tuple[Side, Side]]]
    """of metrics with a pool: what is paired of a task and of its baseline"""
    tokens: list[tuple[float | None, float | None]] = field(default_factory=list[Any])
    """how many the model reads for a sample and, in the mean, for its partners"""


def pair(
    cell: Cell,
    baseline: Cell,
    read: Mapping[str, int] = MappingProxyType({}),
    read_before: Mapping[str, int] = MappingProxyType({}),
) -> Pairs:
    """Pair the samples of a task with those of its baseline; those without a partner are out.

    `read` and `read_before` give the tokens of prompts by sample, where they were counted.
    """
    partners: defaultdict[str, list[int]] = defaultdict(list)
    for at, key in enumerate(baseline.keys):
        partners[key].append(at)
    paired = [(at, partners[key]) for at, key in enumerate(cell.keys) if key in partners]
    tokens: list[tuple[float | None, float | None]] = [
        (
            read.get(cell.samples[at]),
            _mean([read_before.get(baseline.samples[i]) for i in others]),
        )
        for at, others in paired
    ]
    return replace(beside(cell, baseline, paired), tokens=tokens)


def beside(cell: Cell, baseline: Cell, paired: Sequence[tuple[int, Sequence[int]]]) -> Pairs:
    """Give the differences of samples of a task to those of a baseline, by their places."""
    shared = {
        name: metric
        for name, metric in cell.metrics.items()
        if name in baseline.metrics and alike(baseline.metrics[name], metric)
    }
    ours = [at for at, _ in paired]
    theirs = list(dict.fromkeys(at for _, others in paired for at in others))
    return Pairs(
        metrics=shared,
        keys=[cell.keys[at] for at in ours],
        columns={
            name: [
                _difference(cell.columns[name][at], [baseline.columns[name][i] for i in others])
                for at, others in paired
            ]
            for name, metric in shared.items()
            if not metric.pool
        },
        sides={
            name: [(_side(cell, name, ours), _side(baseline, name, theirs))]
            for name, metric in shared.items()
            if metric.pool
        },
    )


def alike(one: Metric, other: Metric) -> bool:
    """Tell whether values of two metrics, which have one name, may be put together."""
    if one.pool is None or other.pool is None:
        return (one.low, one.high, one.pool) == (other.low, other.high, other.pool)
    # Each task may have made the pool anew.
    return (one.low, one.high, one.of) == (other.low, other.high, other.of)


def _side(cell: Cell, name: str, places: Sequence[int]) -> Side:
    return Side([cell.keys[at] for at in places], [cell.rows[name][at] for at in places])


def _difference(value: float | None, others: Sequence[float | None]) -> float | None:
    mean = _mean(others)
    return None if value is None or mean is None else value - mean


def _mean(values: Sequence[float | None]) -> float | None:
    """Give the mean of values, if all of them are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Join pairs, with the metrics that all of them have alike."""
    shared = {
        name: metric
        for name, metric in parts[0].metrics.items()
        if all(name in part.metrics and alike(part.metrics[name], metric) for part in parts)
    }
    return Pairs(
        metrics=shared,
        keys=[key for part in parts for key in part.keys],
        columns={
            name: [d for part in parts for d in part.columns[name]]
            for name, metric in shared.items()
            if not metric.pool
        },
        sides={
            name: [sides for part in parts for sides in part.sides[name]]
            for name, metric in shared.items()
            if metric.pool
        },
        tokens=[both for part in parts for both in part.tokens],
    )


def gap(pairs: Pairs, to: str, draws: int) -> dict[str, Any]:
    """Give the mean difference of each metric with its interval and p-value, as plain JSON.

    `p_holm`, which hangs on the gaps beside this one, is left for `adjust` to fill. Where prompts
    were counted, `prompt_tokens` is the mean difference of them, and its `baseline` what they have
    there.
    """
    metrics = {}
    for name, metric in pairs.metrics.items():
        if metric.pool:
            found, p = difference(pairs.sides[name], metric), None
        else:
            column, (low, high) = pairs.columns[name], differing(metric)
            found = estimate(column, pairs.keys, low=low, high=high)
            # A mean over draws is a whole number of draws.
            p = sign_flips([None if d is None else d * draws for d in column], pairs.keys)
        metrics[name] = asdict(found) | {"p": p, "p_holm": None}
    return {"to": to, "metrics": metrics, **_longer(pairs)}


def _longer(pairs: Pairs) -> dict[str, Any]:
    """Give by how many tokens prompts are longer than those of the baseline, if that is known."""
    before = [theirs for ours, theirs in pairs.tokens if ours is not None and theirs is not None]
    if not before:
        return {}
    column = [_difference(ours, [theirs]) for ours, theirs in pairs.tokens]
    found = estimate(column, pairs.keys, low=None, high=None)
    return {"prompt_tokens": asdict(found) | {"baseline": fmean(before)}}


def adjust(gaps: Iterable[Mapping[str, Any]]) -> None:
    """Fill in `p_holm`: the p-values of these gaps, corrected for their number metric by metric."""
    together: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in gaps:
        for name, numbers in one["metrics"].items():
            if numbers["p"] is not None:
                together[name].append(numbers)
    for family in together.values():
        corrected = holm([numbers["p"] for numbers in family])
        for numbers, p in zip(family, corrected, strict=True):
            numbers["p_holm"] = p


def common_name(names: Iterable[str]) -> str:
    """Give one name for several tasks, with * where they differ.

    >>> common_name(["xl/go/English", "xl/python/English"])
    'xl/*/English'
    """
    different = [name.split("/") for name in dict.fromkeys(names)]
    if len({len(parts) for parts in different}) > 1:
        return "*"
    levels = zip(*different, strict=True)
    return "/".join(parts[0] if len(set(parts)) == 1 else "*" for parts in levels)
