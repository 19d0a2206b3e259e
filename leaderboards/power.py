"""The smallest true difference that a comparison finds 4 times in 5, and the pairs for another.

The plan is McNemar's of Connor 1987 (Biometrics 43:207) with a continuity correction: with G
problems that differ by t between two runs, a true mean difference d is found where

    G * d - step  >=  z(level / 2) * sqrt(G * q) + z(0.2) * sqrt(G * (q - d * d))

q is the mean of t * t. Where every problem occurs once and t is -1, 0 or 1, q is the share of pairs
that differ, and step, by which the sums of t are apart, is 1; with step 0 this is Connor's formula.
Where problems occur several times, t is what a problem's pairs sum up to, on the scale of the mean;
where values lie between, step is 0. q is never less than d itself demands, nor less than with two
problems more that differ as the others do (as in Bonett and Price's interval): pairs that never
differ say little of how many would differ in a larger run.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

from bench.harness.core import Estimate

FOUND = NormalDist().inv_cdf(0.8)
LARGEST = 10**9
"""pairs that anybody could ask for"""


@dataclass(frozen=True, slots=True)
class Spread:
    """How much problems differ between two runs."""

    problems: int
    pairs: int
    square: float
    """the mean square of a problem's difference"""
    step: float = 0.0
    reach: float | None = None
    """the largest difference that the metric allows, None where nothing bounds it"""
    blind: float = 0.0
    """what pairs without a score may hide, whatever the others say"""
    exact: bool = False
    """tested by the signs of problems, and not by the interval"""

    def smallest(self, level: float) -> float | None:
        """Give the smallest true difference that a test at this level finds 4 times in 5.

        None where it finds none, however large.
        """
        seen = self._seeing(self.problems, level)
        top = self.reach or 8 * sqrt(self.square)
        if not seen(top):
            return None
        low, high = 0.0, top
        while high - low > 1e-9 * top:
            middle = (low + high) / 2
            low, high = (low, middle) if seen(middle) else (middle, high)
        return high + self.blind

    def needed(self, size: float, level: float) -> int | None:
        """Give the pairs with which a true difference of this size is found 4 times in 5.

        Never less than there are; None where no number would do.
        """
        rest, most = abs(size) - self.blind, ceil(LARGEST * self.problems / self.pairs)
        if rest <= 0 or not self._seeing(most, level)(rest):
            return None
        low, high = self.problems - 1, most
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._seeing(middle, level)(rest) else (middle, high)
        return ceil(high * self.pairs / self.problems)

    def _seeing(self, problems: int, level: float) -> Callable[[float], bool]:
        """Tell of a size whether it is found 4 times in 5 with so many problems."""
        if self.exact and 2.0 ** (1 - problems) > level:  # if each of them had the same sign
            return lambda _: False
        sure = NormalDist().inv_cdf(1 - level / 2) if self.exact else student(problems, level)

        def seen(size: float) -> bool:
            square = max(self.square, size * self.step, size**2)
            spread = sure * sqrt(square) + FOUND * sqrt(square - size**2)
            return problems * size - self.step >= sqrt(problems) * spread

        return seen


def student(groups: int, level: float) -> float:
    """Give Student's quantile for a two-sided test over so many groups."""
    from scipy.stats import t  # heavy

    return float(t.ppf(1 - level / 2, groups - 1))


def spread_of(
    differences: Sequence[float | None],
    keys: Sequence[str],
    unit: float | None,
    reach: float | None,
) -> Spread | None:
    """Give the spread of paired differences, each with the key of its problem.

    `unit` is what all of them are multiples of, None where nothing is. None where fewer than two
    problems were scored, or where none differs and nothing bounds them.
    """
    totals: defaultdict[str, float] = defaultdict(float)
    for difference, key in zip(differences, keys, strict=True):
        if difference is not None:
            totals[key] += difference
    scored = sum(difference is not None for difference in differences)
    missing = len(differences) - scored
    if len(totals) < 2 or (missing and reach is None):
        return None
    scale = len(totals) / scored
    squares = [(total * scale) ** 2 for total in totals.values() if abs(total) > 1e-9]
    if not squares and reach is None:
        return None
    typical = sum(squares) / len(squares) if squares else (reach or 0.0) ** 2
    return Spread(
        problems=len(totals),
        pairs=len(differences),
        square=(sum(squares) + 2 * typical) / (len(totals) + 2),
        step=0.0 if unit is None else unit * scale,
        reach=reach,
        blind=(reach or 0.0) * missing / len(differences),
        exact=unit is not None,
    )


def spread_behind(found: Estimate, problems: int, reach: float | None) -> Spread | None:
    """Give the spread that an interval tells of, where there is no difference for each sample."""
    if found.low is None or found.high is None or problems < 2:
        return None
    error = (found.high - found.low) / 2 / student(problems, 0.05)
    return Spread(problems, found.n, problems * error**2, reach=reach) if error else None
