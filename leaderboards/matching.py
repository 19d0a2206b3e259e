"""The samples of a task that two runs have in common, each beside itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.harness.cells import Cell
from bench.harness.gaps import Pairs, beside
from bench.harness.pooling import value_of


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

    def flipped(self, metric: str) -> tuple[list[str], list[str]]:
        """Give the samples on which the candidate does better, and those on which it does worse."""
        if self.pairs.metrics[metric].pool:
            return [], []
        signed = list(zip(self.samples, self.pairs.columns[metric], strict=True))
        more = [sample for sample, difference in signed if difference and difference > 0]
        less = [sample for sample, difference in signed if difference and difference < 0]
        return (less, more) if self.pairs.metrics[metric].lower_is_better else (more, less)

    def missing(self, metric: str) -> list[str]:
        """Give the samples of which one side has no score."""
        if self.pairs.metrics[metric].pool:
            ours, theirs = self.pairs.sides[metric][0]
            known = [None not in rows for rows in zip(ours.rows, theirs.rows, strict=True)]
        else:
            known = [difference is not None for difference in self.pairs.columns[metric]]
        return [sample for sample, scored in zip(self.samples, known, strict=True) if not scored]

    @property
    def unpaired(self) -> int:
        """How many samples only one of the runs has."""
        return len(self.base.samples) + len(self.candidate.samples) - 2 * len(self.places)


def both(members: Sequence[Matched], metric: str, side: int) -> float | None:
    """Give the value of a metric for base (side 0) or candidate (1), on the common samples.

    A pooled metric of a group is the mean over its tasks, as its difference is.
    """
    values = [value for one in members for value in one.values(metric, side)]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def match(base: Cell, candidate: Cell, without: Collection[str] = ()) -> Matched:
    """Pair two cells of one task sample by sample, without some of them."""
    where = {sample: at for at, sample in enumerate(base.samples) if sample not in without}
    places = [(where[sample], at) for at, sample in enumerate(candidate.samples) if sample in where]
    pairs = beside(candidate, base, [(at, [i]) for i, at in places])
    return Matched(pairs, [candidate.samples[at] for _, at in places], base, candidate, places)
