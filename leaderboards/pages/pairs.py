"""Comparisons of all runs of a page with one another, each as `bench compare` has it.

A pair is compared by what every task ranks by, from values that the page's indices hold already.
Groups are reduced to what each problem sums up to before anything is resampled: the numbers are
those of a comparison, and 20 runs of 22,080 samples have 190 pairs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.harness import Metric, Task
from bench.harness.core import Estimate
from bench.harness.gaps import Pairs, alike, gap
from bench.harness.groups import Group, groups_of
from bench.harness.pooling import differing
from bench.harness.stats import Ends, estimate, p_value, sign_flips
from bench.leaderboards.comparability import reasons
from bench.leaderboards.comparison import Difference, correct, wholes_of
from bench.leaderboards.pages.answers import opened
from bench.leaderboards.pages.packing import encoded, put_zipped, short
from bench.leaderboards.power import Spread, spread_of
from bench.leaderboards.runs import Run, primary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a task's samples in all runs, by the metric that ranks."""

    problems: "NDArray[np.int64]"
    """a number for the problem of each sample, the same in all tasks"""
    values: "Mapping[int, NDArray[np.float64]]"
    """by run; NaN: not scored, infinite: not there"""


@dataclass(frozen=True, slots=True)
class Paired:
    """The differences of a task's common samples, candidate less base; NaN: not scored in both."""

    metric: Metric
    draws: int
    problems: "NDArray[np.int64]"
    base: "NDArray[np.float64]"
    candidate: "NDArray[np.float64]"


def write_pairs(
    data: Path,
    folders: Sequence[Path],
    columns: Mapping[str, Column],
    entries: Mapping[str, int],
    pairs: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Write the comparison of each pair of runs; give those that have something to compare.

    `columns` are by task, `entries` gives the place of each task and group on the page.
    """
    written = []
    for base, candidate in pairs:
        one, other = opened(folders[base]), opened(folders[candidate])
        found = compared(other, dict(_matched(one, other, columns, (base, candidate))))
        rows = {str(entries[name]): _row(of) for name, of in found.items() if name in entries}
        if rows:
            put_zipped(data, f"pairs/{base}-{candidate}", encoded(rows))
            written.append((base, candidate))
    return written


def _row(one: Difference) -> list[Any]:
    numbers = one.value, one.low, one.high, one.n, one.p, one.p_holm, one.detectable
    return [*map(short, numbers), one.verdict(), short(one.base), short(one.candidate)]


def _matched(
    base: Run, candidate: Run, columns: Mapping[str, Column], places: tuple[int, int]
) -> Iterator[tuple[str, Paired]]:
    """Yield the tasks that can be compared, with their common samples."""
    import numpy as np

    draws = int(base.manifest["sampling"].get("n") or 1)
    for name, column in columns.items():
        if not all(at in column.values for at in places):
            continue
        metric, other = (_ranking(run.tasks[name]) for run in (candidate, base))
        if metric is None or other is None or metric[0] != other[0]:
            continue
        if not alike(metric[1], other[1]) or reasons(base, candidate, name, paired=True):
            continue
        ours, theirs = (column.values[at] for at in places)
        both = ~np.isinf(ours) & ~np.isinf(theirs)
        if both.any():
            yield name, Paired(metric[1], draws, column.problems[both], ours[both], theirs[both])


def _ranking(task: Task) -> tuple[str, Metric] | None:
    """Give the metric that ranks, where it is a mean over samples."""
    name = primary(task)
    return None if task.metrics[name].pool else (name, task.metrics[name])


def compared(candidate: Run, matched: Mapping[str, Paired]) -> dict[str, Difference]:
    """Give the differences of tasks and groups, corrected as those of a comparison."""
    first = {name: primary(candidate.tasks[name]) for name in matched}
    alone = {
        name: {first[name]: _difference(name, first[name], [one])} for name, one in matched.items()
    }
    groups, together = dict[str, Group](), dict[str, dict[str, Difference]]()
    for name, group in _groups(candidate.folder, frozenset(matched)).items():
        metrics = {first[task] for task in group.tasks}
        members = [matched[task] for task in group.tasks]
        if len(metrics) == 1 and all(alike(members[0].metric, one.metric) for one in members):
            metric = metrics.pop()
            groups[name] = group
            together[name] = {metric: _difference(name, metric, members, group.tasks)}
    correct([alone, together], wholes_of(groups, together, first), first)
    both = [*alone.items(), *together.items()]
    return {name: one for name, found in both for one in found.values()}


@cache
def _groups(folder: Path, names: frozenset[str]) -> dict[str, Group]:
    """Give the groups of some tasks of a run."""
    return groups_of([task for name, task in opened(folder).tasks.items() if name in names])


def _difference(
    name: str, metric: str, members: Sequence[Paired], tasks: Sequence[str] = ()
) -> Difference:
    """Give the difference of a task or group, not corrected yet."""
    import numpy as np

    base, candidate = (
        np.concatenate([side(one) for one in members])
        for side in (attrgetter("base"), attrgetter("candidate"))
    )
    apart, problems = candidate - base, np.concatenate([one.problems for one in members])
    scored = ~np.isnan(apart)
    measured, draws = members[0].metric, members[0].draws
    small = len(members) == 1 or not scored.all()
    found, p = (_each if small else _reduced)(apart, problems, measured, draws)
    exact, bounds = p is not None, differing(measured)
    return Difference(
        name=name,
        metric=metric,
        base=float(base[scored].mean()) if scored.any() else None,
        candidate=float(candidate[scored].mean()) if scored.any() else None,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        p=p if exact else p_value(found, len(np.unique(problems))),
        p_holm=None,
        lower_is_better=measured.lower_is_better,
        tasks=tasks,
        exact=exact,
        spread=_spread(apart, problems, 1 / draws if exact else None, bounds),
    )


def _each(
    apart: "NDArray[np.float64]", problems: "NDArray[np.int64]", metric: Metric, draws: int
) -> tuple[Estimate, float | None]:
    """Give the mean difference and its exact p-value, where it has one."""
    column = [None if isnan(value) else value for value in apart.tolist()]
    pairs = Pairs({"": metric}, list(map(str, problems.tolist())), {"": column}, {})
    numbers = gap(pairs, "", draws)["metrics"][""]
    found = Estimate(*(numbers[part] for part in ("value", "low", "high", "n")))
    return found, numbers["p"]


def _reduced(
    apart: "NDArray[np.float64]", problems: "NDArray[np.int64]", metric: Metric, draws: int
) -> tuple[Estimate, float | None]:
    """Give the same from the mean of each problem and its weight, where all was scored."""
    counts, totals, keys = _totals(apart, problems)
    means = totals / counts
    if {*means.tolist()} <= {-1.0, 0.0, 1.0}:  # as if each problem were one pair, which it is not
        return _each(apart, problems, metric, draws)
    low, high = differing(metric)
    found = estimate(means.tolist(), keys, counts.tolist(), low=low, high=high)
    p = sign_flips((totals * draws).tolist(), keys)
    return Estimate(found.value, found.low, found.high, len(apart)), p


def _totals(
    apart: "NDArray[np.float64]", problems: "NDArray[np.int64]"
) -> "tuple[NDArray[Any], NDArray[Any], list[str]]":
    """Give the pairs of each problem, what they sum up to, and its name."""
    import numpy as np

    counts, totals = np.bincount(problems), np.bincount(problems, weights=apart)
    there = counts > 0
    return counts[there], totals[there], list(map(str, np.flatnonzero(there).tolist()))


def _spread(
    apart: "NDArray[np.float64]",
    problems: "NDArray[np.int64]",
    unit: float | None,
    bounds: Ends,
) -> Spread | None:
    """Give the spread of the pairs, of which only the number and the sums by problem count."""
    low, high = bounds
    reach = None if low is None or high is None else (high - low) / 2
    if isnan(apart.sum()):
        column = [None if isnan(value) else value for value in apart.tolist()]
        return spread_of(column, list(map(str, problems.tolist())), unit, reach)
    _, totals, keys = _totals(apart, problems)
    rest = len(apart) - len(totals)
    return spread_of([*totals.tolist(), *[0.0] * rest], [*keys, *keys[:1] * rest], unit, reach)
