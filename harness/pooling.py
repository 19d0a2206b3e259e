"""Metrics that are no means over samples: perplexity, F1, Matthews' coefficient, corpus BLEU.

Their value comes from the rows of all samples together, and so does the interval: whole problems
are drawn again with replacement, and the rows of what was drawn are pooled (percentile bootstrap,
as wide for few problems as that of a mean). What the rows that are missing would do to the value
cannot be told, nor what resampling shows where all draws agree: then the interval is all that the
metric's bounds allow.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, inf, isfinite
from statistics import fmean
from typing import TypeAlias

from bench.harness.core import Estimate, Metric
from bench.harness.stats import SEED, Ends, stretch

RESAMPLES = 1000
"""fewer than a mean has, since a pool is Python: about a second for each 10,000 samples"""

Row: TypeAlias = tuple[float, ...]
Pool: TypeAlias = Callable[[Sequence[Row]], float | None]
Value: TypeAlias = float | None
Group: TypeAlias = list[tuple[int, list[Row]]]
"""the rows of one problem, in each side that has some"""


@dataclass(frozen=True, slots=True)
class Side:
    """The samples whose rows are pooled together: the key that each has, and its row."""

    keys: Sequence[str]
    rows: Sequence[Row | None]
    """None: not scored"""


def pooled_by(
    pool: Pool,
    *of: str,
    low: float | None = None,
    high: float | None = None,
    lower_is_better: bool = False,
) -> Metric:
    """Give the metric `pool(rows)`, where a row has the mean over the draws of each value."""
    return Metric(
        of=of, reduce=fmean, low=low, high=high, pool=pool, lower_is_better=lower_is_better
    )


def micro(sides: Sequence[Side], metric: Metric) -> Estimate:
    """Give the value of the rows of all sides together."""
    keys = [key for side in sides for key in side.keys]
    rows = [row for side in sides for row in side.rows]
    return _estimate([Side(keys, rows)], metric, _mean)


def macro(sides: Sequence[Side], metric: Metric) -> Estimate:
    """Give the mean of the values of the sides, over those that have one."""
    return _estimate(sides, metric, _mean)


def difference(pairs: Sequence[tuple[Side, Side]], metric: Metric) -> Estimate:
    """Give the mean over pairs of the first side's value less the second one's.

    `metric` bounds the value of a side. n counts the samples of first sides.
    """
    sides = [side for pair in pairs for side in pair]
    found = _estimate(sides, metric, _mean_difference, differing(metric))
    return Estimate(found.value, found.low, found.high, sum(len(one.keys) for one, _ in pairs))


def differing(metric: Metric) -> Ends:
    """Give the bounds of a difference between two values of a metric."""
    if metric.low is None or metric.high is None:
        return None, None
    return metric.low - metric.high, metric.high - metric.low


def _mean(values: Sequence[Value]) -> Value:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _mean_difference(values: Sequence[Value]) -> Value:
    pairs = list(pairwise(values))[::2]
    return _mean([None if one is None or two is None else one - two for one, two in pairs])


def _estimate(
    sides: Sequence[Side],
    metric: Metric,
    joined: Callable[[Sequence[Value]], Value],
    bounds: Ends | None = None,
) -> Estimate:
    """Give the joined values of the sides, and their interval within the bounds."""
    assert metric.pool is not None
    bounds = bounds or (metric.low, metric.high)
    tables = [sorted(row for row in side.rows if row is not None) for side in sides]
    values = [value_of(metric.pool, table) for table in tables]
    value, n = joined(values), sum(len(side.keys) for side in sides)
    missing = any(None in side.rows for side in sides)
    if value is None or missing or None in values:
        return Estimate(value, *bounds, n)
    groups = _groups(sides)
    drawn = [
        joined([value_of(metric.pool, table) for table in tables])
        for tables in _resamples(groups, len(sides))
    ]
    return Estimate(value, *_ends(value, drawn, len(groups), bounds), n)


def value_of(pool: Pool, rows: Sequence[Row]) -> Value:
    """Give what a pool makes of rows; None where that is undefined or no number."""
    if not rows:
        return None
    try:
        value = pool(rows)
    except (ArithmeticError, ValueError):  # a division by nothing, the mean of nothing
        return None
    return None if value is None or not isfinite(value) else float(value)


def _groups(sides: Sequence[Side]) -> list[Group]:
    """Give the rows of each problem, sorted: neither order nor names decide what a seed draws."""
    found: defaultdict[str, defaultdict[int, list[Row]]]
    found = defaultdict(lambda: defaultdict(list))
    for at, side in enumerate(sides):
        for key, row in zip(side.keys, side.rows, strict=True):
            if row is not None:
                found[key][at].append(row)
    return sorted([(at, sorted(rows)) for at, rows in one.items()] for one in found.values())


def _resamples(groups: Sequence[Group], sides: int) -> Iterator[list[list[Row]]]:
    """Yield the rows of each side, for one draw of as many problems as there are after another."""
    import numpy as np  # heavy

    rng = np.random.default_rng(SEED)
    for _ in range(RESAMPLES):
        tables: list[list[Row]] = [[] for _ in range(sides)]
        for choice in rng.integers(len(groups), size=len(groups)).tolist():
            for at, rows in groups[choice]:
                tables[at].extend(rows)
        yield tables


def _ends(value: float, drawn: Sequence[Value], groups: int, bounds: Ends) -> Ends:
    """Give the percentile interval; a resample without a value may have had any."""
    low, high = bounds
    known = [one for one in drawn if one is not None]
    if groups == 1 or not known or max(known) - min(known) <= 1e-12 * max(1.0, abs(value)):
        return low, high
    lowest = sorted(-inf if one is None else one for one in drawn)[floor(0.025 * len(drawn))]
    highest = sorted(inf if one is None else one for one in drawn)[ceil(0.975 * len(drawn)) - 1]
    lower, upper = (value + (end - value) * stretch(groups) for end in (lowest, highest))
    lower = max(min(lower, value), -inf if low is None else low)
    upper = min(max(upper, value), inf if high is None else high)
    return lower if isfinite(lower) else None, upper if isfinite(upper) else None
