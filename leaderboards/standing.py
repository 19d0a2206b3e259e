"""Ranks of runs: who is surely better than whom, by the tests of a comparison.

Each run is read once and kept as one number a sample. Pairs are compared as `bench compare` does
it: on the samples that both have, whole problems together, exactly by signs where that can be.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from bench.harness import Metric
from bench.harness.cells import Cell
from bench.harness.core import Estimate
from bench.harness.gaps import Pairs, alike, gap
from bench.harness.pooling import Row, Side
from bench.harness.stats import holm, p_value, sign_flips
from bench.leaderboards.comparison import ALPHA
from bench.leaderboards.runs import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 200_000
"""rows of pooled metrics that may be resampled for the ranks of an entry: half a minute"""


@dataclass(frozen=True, slots=True)
class Contest:
    """What runs are ranked by: a metric of some tasks, within classes of runs."""

    entry: int
    tasks: Sequence[str]
    metric: str
    classes: Sequence[Sequence[int]]
    whatever_it_takes: bool
    """rank also where pairs have to be resampled, one by one"""


@dataclass(frozen=True, slots=True)
class Table:
    """The values of one task in all runs, a place for each sample."""

    metric: Metric
    draws: int
    places: dict[str, int] = field(default_factory=dict[str, int])
    keys: list[str] = field(default_factory=list[str])
    columns: "dict[int, NDArray[np.float64]]" = field(default_factory=dict)
    """by run: NaN where it was not scored, infinite where the run has not got it"""
    rows: dict[int, dict[int, Row | None]] = field(default_factory=dict)
    """by run and place, of a metric with a pool"""

    def add(self, run: int, cell: Cell, metric: str) -> None:
        """Add what a run has."""
        import numpy as np  # heavy

        for sample, key in zip(cell.samples, cell.keys, strict=True):
            if self.places.setdefault(sample, len(self.keys)) == len(self.keys):
                self.keys.append(key)
        at = [self.places[sample] for sample in cell.samples]
        if self.metric.pool:
            self.rows[run] = dict(zip(at, cell.rows[metric], strict=True))
            return
        column = np.full(len(self.keys), np.inf)
        column[at] = [np.nan if one is None else one for one in cell.columns[metric]]
        self.columns[run] = column

    def column(self, run: int) -> "NDArray[np.float64]":
        """Give the values of a run for all samples that any run has."""
        import numpy as np  # heavy

        found = self.columns[run]
        return np.pad(found, (0, len(self.keys) - len(found)), constant_values=np.inf)


Tables = dict[tuple[str, str], Table]
"""by task and metric"""


def ranked(runs: Sequence[Run], contests: Sequence[Contest]) -> dict[int, dict[int, int]]:
    """Give the ranks of runs by entry, where two or more of a class have samples."""
    contests = [one for one in contests if any(len(part) > 1 for part in one.classes)]
    if not contests:
        return {}
    tables = _tables(runs, contests)
    ranks = {one.entry: dict(_ranks(one, tables)) for one in contests}
    return {entry: found for entry, found in ranks.items() if found}


def _tables(runs: Sequence[Run], contests: Sequence[Contest]) -> Tables:
    wanted: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for contest in contests:
        for task in contest.tasks:
            for part in contest.classes:
                wanted[task, contest.metric].update(part if len(part) > 1 else ())
    tables: Tables = {}
    for at, run in enumerate(runs):
        if not any(at in needed for needed in wanted.values()):
            continue
        cells = run.cells()
        for (task, metric), needed in wanted.items():
            cell = cells.get(task)
            if at in needed and cell and cell.samples and metric in cell.metrics:
                draws = int(run.manifest["sampling"].get("n") or 1)
                table = tables.setdefault((task, metric), Table(cell.metrics[metric], draws))
                if alike(table.metric, cell.metrics[metric]):
                    table.add(at, cell, metric)
        del cells  # of one run at a time
    return tables


def _ranks(contest: Contest, tables: Tables) -> Iterator[tuple[int, int]]:
    """Yield runs with their ranks."""
    members = [tables.get((task, contest.metric)) for task in contest.tasks]
    known = [one for one in members if one]
    if not known or len(known) < len(members):
        return
    classes = [
        [run for run in part if all(run in (one.columns or one.rows) for one in known)]
        for part in contest.classes
    ]
    pairs = [pair for part in classes for pair in combinations(part, 2)]
    tested = _tested(known, pairs, whatever_it_takes=contest.whatever_it_takes)
    if not pairs or tested is None:
        return
    behind = dict.fromkeys((run for part in classes if len(part) > 1 for run in part), 0)
    corrected = holm([1.0 if p is None else p for _, p in tested])
    for (one, two), (gain, _), p in zip(pairs, tested, corrected, strict=True):
        if p <= ALPHA and gain:
            behind[one if gain > 0 else two] += 1
    yield from ((run, 1 + better) for run, better in behind.items())


def _tested(
    tables: Sequence[Table], pairs: Sequence[tuple[int, int]], *, whatever_it_takes: bool
) -> list[tuple[float, float | None]] | None:
    """Give for each pair how much better the second one is, and the p-value.

    None where that takes longer than it may.
    """
    metric = tables[0].metric
    sign = -1 if metric.lower_is_better else 1
    if metric.pool:
        rows = len(pairs) * sum(len(one.keys) for one in tables)
        if not whatever_it_takes or rows > LONGEST:
            return None
        return [_signed(_pooled(tables, one, two), sign) for one, two in pairs]
    columns = Columns(tables, {run for pair in pairs for run in pair})
    if not whatever_it_takes and not all(columns.countable(*pair) for pair in pairs):
        return None
    return [_signed(columns.difference(*pair), sign) for pair in pairs]


def _signed(found: tuple[float | None, float | None], sign: int) -> tuple[float, float | None]:
    return (found[0] or 0.0) * sign, found[1]


class Columns:
    """The values of some tasks in some runs, one after another."""

    def __init__(self, tables: Sequence[Table], runs: Iterable[int]) -> None:
        import numpy as np  # heavy

        self.np = np
        self.metric, self.draws = tables[0].metric, tables[0].draws
        ids: dict[str, int] = {}
        keys = (key for one in tables for key in one.keys)
        self.problems = np.array([ids.setdefault(key, len(ids)) for key in keys])
        self.values = {run: np.concatenate([one.column(run) for one in tables]) for run in runs}
        self.there = {run: ~np.isinf(column) for run, column in self.values.items()}
        self.whole = {run: self._whole(column) for run, column in self.values.items()}

    def _whole(self, column: "NDArray[np.float64]") -> bool:
        """Tell whether all that a run has was scored, as whole numbers of draws."""
        drawn = column[~self.np.isinf(column)] * self.draws
        return bool((self.np.abs(drawn - self.np.round(drawn)) <= 1e-6).all())

    def countable(self, one: int, two: int) -> bool:
        """Tell whether the difference of two runs is tested by its signs."""
        return self.whole[one] and self.whole[two]

    def difference(self, one: int, two: int) -> tuple[float | None, float | None]:
        """Give the mean difference, or its sign at least, and the p-value."""
        np, both = self.np, self.there[one] & self.there[two]
        problems = self.problems[both]
        if not len(problems):
            return None, None
        apart = self.values[two][both] - self.values[one][both]
        if self.countable(one, two):
            totals = np.round(np.bincount(problems, weights=np.round(apart * self.draws)))
            signed = np.sort(totals[totals != 0]).astype(int).tolist()
            p = _chance(tuple(signed))
            if p is not None:
                return float(totals.sum()), p
        column = [None if np.isnan(value) else float(value) for value in apart]
        keys = [str(key) for key in problems]
        return _resampled(Pairs({"": self.metric}, keys, {"": column}, {}), self.draws)


@lru_cache(maxsize=10_000)
def _chance(totals: tuple[int, ...]) -> float | None:
    """Give the exact p-value of what problems sum up to; those that sum up to nothing are out."""
    return sign_flips([*totals, 0], [str(at) for at in range(len(totals) + 1)])


def _pooled(tables: Sequence[Table], one: int, two: int) -> tuple[float | None, float | None]:
    sides = []
    for table in tables:
        both = sorted(table.rows[one].keys() & table.rows[two].keys())
        keys = [table.keys[at] for at in both]
        ours, theirs = (Side(keys, [table.rows[run][at] for at in both]) for run in (two, one))
        sides.append((ours, theirs))
    keys = [key for ours, _ in sides for key in ours.keys]
    return _resampled(Pairs({"": tables[0].metric}, keys, {}, {"": sides}), tables[0].draws)


def _resampled(pairs: Pairs, draws: int) -> tuple[float | None, float | None]:
    """Give the mean difference and its p-value as a comparison has them."""
    numbers = gap(pairs, "", draws)["metrics"][""]
    found = Estimate(*(numbers[part] for part in ("value", "low", "high", "n")))
    exact: float | None = numbers["p"]
    return found.value, p_value(found, len(set(pairs.keys))) if exact is None else exact
