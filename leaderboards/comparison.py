"""Two runs, sample by sample: what differs, how surely, and how small a difference would be seen.

Samples are paired by their id. The difference is that of the candidate to the base, in the unit of
the metric. Whole problems are resampled, as everywhere (design: a problem in 23 languages is one).
p-values are exact, by the signs of problems; where no such p can be had (metrics that are no sums
of whole numbers) the interval alone decides. Holm corrects over all tasks compared, and over all
groups apart from them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Any, Literal

from bench.harness.cells import Cell
from bench.harness.errors import BenchError
from bench.harness.gaps import Pairs, adjust, alike, gap, joined
from bench.harness.pooling import Side, value_of
from bench.leaderboards.comparability import reasons
from bench.leaderboards.runs import Run

ALPHA = 0.05
POWER_OVER_ALPHA = (1.959964 + 0.841621) / 1.959964
"""half-widths of a 95% interval that a true difference must have to be seen 4 times in 5"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of a task or group in both runs, on the samples that both have."""

    name: str
    metric: str
    base: float | None
    candidate: float | None
    value: float | None
    """candidate less base; the next two are its 95% interval"""
    low: float | None
    high: float | None
    n: int
    p: float | None
    """exact and two-sided; None where there is no exact test"""
    p_holm: float | None
    lower_is_better: bool
    won: Sequence[str] = ()
    """samples on which the candidate does better; groups name none"""
    lost: Sequence[str] = ()
    unpaired: int = 0
    """samples that only one of the runs has"""
    unscored: int = 0
    """pairs of which one side could not be scored: an infrastructure error, a judge's prose"""
    tasks: Sequence[str] = ()
    """of a group"""

    @property
    def gain(self) -> float | None:
        """The difference with its sign turned so that more is better."""
        return self.value if self.value is None or not self.lower_is_better else -self.value

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that a comparison like this one sees 4 times in 5."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2 * POWER_OVER_ALPHA

    def needed(self, size: float) -> int | None:
        """Give the pairs with which a true difference of this size would be seen 4 times in 5."""
        if self.detectable is None or not size:
            return None
        return max(self.n, ceil(self.n * (self.detectable / size) ** 2))

    def verdict(self, alpha: float = ALPHA) -> Literal["better", "worse", "undecided"]:
        """Say whether the candidate is surely better or worse, corrected for all that is tested."""
        if self.gain is None or self.low is None or self.high is None:
            return "undecided"
        sure = self.low > 0 or self.high < 0
        if self.p_holm is not None:
            sure = self.p_holm <= alpha
        if not sure or not self.gain:
            return "undecided"
        return "better" if self.gain > 0 else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that can be compared of two runs, and why the rest cannot."""

    base: str
    candidate: str
    tasks: Mapping[str, Mapping[str, Difference]]
    """by task and metric, the task's first metric first"""
    groups: Mapping[str, Mapping[str, Difference]]
    left_out: Mapping[str, Sequence[str]]
    """tasks that are not compared, with the reasons"""


def compare(
    base: Run,
    candidate: Run,
    tasks: Iterable[str] | None = None,
    without: Mapping[str, Collection[str]] | None = None,
) -> Comparison:
    """Compare two runs on the samples that both have.

    Of their `tasks` all unless some are named, and `without` some samples by task.

    Raises:
        BenchError: they have no sample in common that can be compared.

    """
    names = list(dict.fromkeys([*base.tasks, *candidate.tasks] if tasks is None else tasks))
    left_out = {name: reasons(base, candidate, name, paired=True) for name in names}
    ours, theirs = base.cells(), candidate.cells()
    matched: dict[str, Matched] = {}
    for name in names:
        if not left_out[name]:
            one = match(ours[name], theirs[name], (without or {}).get(name, ()))
            if one.pairs.keys and one.pairs.metrics:
                matched[name] = one
            else:
                left_out[name] = ["no sample in common"]
    left_out = {name: why for name, why in left_out.items() if why}
    if not matched:
        why = "; ".join(f"{name}: {', '.join(said)}" for name, said in list(left_out.items())[:3])
        raise BenchError(
            f"{base.folder} and {candidate.folder}: nothing to compare ({why}). Run the same "
            "tasks in the same way."
        )
    draws = int(base.manifest["sampling"].get("n") or 1)
    return Comparison(
        base.name, candidate.name, *_differences(base, candidate, matched, draws), left_out
    )


def _differences(
    base: Run, candidate: Run, matched: Mapping[str, "Matched"], draws: int
) -> tuple[dict[str, dict[str, Difference]], dict[str, dict[str, Difference]]]:
    """Give the differences of tasks, and of the groups that are compared whole."""
    groups = {
        name: group.tasks
        for name, group in candidate.groups.items()
        if set(group.tasks) <= matched.keys() and name in base.groups
    }
    alone = {name: gap(one.pairs, "", draws) for name, one in matched.items()}
    together = {
        name: gap(joined([matched[task].pairs for task in tasks]), "", draws)
        for name, tasks in groups.items()
    }
    adjust(alone.values())
    adjust(together.values())
    return (
        {
            name: {
                metric: _difference(name, metric, found, [matched[name]])
                for metric, found in one["metrics"].items()
            }
            for name, one in alone.items()
        },
        {
            name: {
                metric: _difference(
                    name, metric, found, [matched[task] for task in groups[name]], groups[name]
                )
                for metric, found in one["metrics"].items()
            }
            for name, one in together.items()
        },
    )


def _difference(
    name: str,
    metric: str,
    found: Mapping[str, Any],
    members: Sequence["Matched"],
    tasks: Sequence[str] = (),
) -> Difference:
    """Give one difference from what `gap` found, with the values of both sides."""
    measured = members[0].pairs.metrics[metric]
    signs = [] if tasks else members[0].signs(metric)
    return Difference(
        name=name,
        metric=metric,
        base=_both(members, metric, 0),
        candidate=_both(members, metric, 1),
        value=found["value"],
        low=found["low"],
        high=found["high"],
        n=found["n"],
        p=found["p"],
        p_holm=found["p_holm"],
        lower_is_better=measured.lower_is_better,
        won=[sample for sample, sign in signs if sign > 0],
        lost=[sample for sample, sign in signs if sign < 0],
        unpaired=sum(
            len(one.base.samples) + len(one.candidate.samples) - 2 * len(one.places)
            for one in members
        ),
        unscored=sum(one.unscored(metric) for one in members),
        tasks=tasks,
    )


def _both(members: Sequence["Matched"], metric: str, side: int) -> float | None:
    """Give the value of a metric for base (side 0) or candidate (1), on the common samples.

    A pooled metric of a group is the mean over its tasks, as its difference is.
    """
    values = [value for one in members for value in one.values(metric, side)]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


@dataclass(frozen=True, slots=True)
class Matched:
    """The common samples of a task in two runs."""

    pairs: Pairs
    """candidate less base"""
    samples: Sequence[str]
    base: Cell
    candidate: Cell
    places: Sequence[tuple[int, int]]
    """of each common sample in base and candidate"""

    def values(self, metric: str, side: int) -> list[float | None]:
        """Give the values of base (side 0) or candidate (1): of each pair that both scored.

        Of a metric with a pool, the one value of all of them.
        """
        measured, cell = self.pairs.metrics[metric], (self.base, self.candidate)[side]
        if measured.pool:
            rows = [cell.rows[metric][place[side]] for place in self.places]
            return [value_of(measured.pool, [row for row in rows if row is not None])]
        return [
            cell.columns[metric][place[side]]
            for place, difference in zip(self.places, self.pairs.columns[metric], strict=True)
            if difference is not None
        ]

    def signs(self, metric: str) -> list[tuple[str, float]]:
        """Give how much better (above 0) or worse the candidate does on each sample."""
        if self.pairs.metrics[metric].pool:
            return []
        better = -1 if self.pairs.metrics[metric].lower_is_better else 1
        return [
            (sample, difference * better)
            for sample, difference in zip(self.samples, self.pairs.columns[metric], strict=True)
            if difference
        ]

    def unscored(self, metric: str) -> int:
        """Count the pairs of which one side has no score."""
        if self.pairs.metrics[metric].pool:
            ours, theirs = self.pairs.sides[metric][0]
            return sum(None in rows for rows in zip(ours.rows, theirs.rows, strict=True))
        return sum(difference is None for difference in self.pairs.columns[metric])


def match(base: Cell, candidate: Cell, without: Collection[str] = ()) -> Matched:
    """Pair two cells of one task sample by sample, without some of them."""
    where = {sample: at for at, sample in enumerate(base.samples) if sample not in without}
    places = [(where[sample], at) for at, sample in enumerate(candidate.samples) if sample in where]
    shared = {
        name: metric
        for name, metric in candidate.metrics.items()
        if name in base.metrics and alike(base.metrics[name], metric)
    }
    pairs = Pairs(
        metrics=shared,
        keys=[candidate.keys[at] for _, at in places],
        columns={
            name: [_less(candidate.columns[name][at], base.columns[name][i]) for i, at in places]
            for name, metric in shared.items()
            if not metric.pool
        },
        sides={
            name: [
                (
                    _side(candidate, name, [at for _, at in places]),
                    _side(base, name, [i for i, _ in places]),
                )
            ]
            for name, metric in shared.items()
            if metric.pool
        },
    )
    return Matched(pairs, [candidate.samples[at] for _, at in places], base, candidate, places)


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _side(cell: Cell, name: str, places: Sequence[int]) -> Side:
    return Side([cell.keys[at] for at in places], [cell.rows[name][at] for at in places])
