"""Scores to numbers, each with a 95% interval.

A plain proportion gets Wilson's interval, a plain difference of two paired ones that of Bonett and
Price. Where one problem occurs several times, or values lie between, whole problems are drawn again
with replacement (cluster bootstrap).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from math import ceil, comb, floor, fsum, sqrt
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, TypeAlias

from bench.harness.core import Estimate, Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 2000
BATCH = 1_000_000
"""groups drawn at a time, for some 20 MB"""
LONGEST = 10_000_000
"""sums that an exact distribution may have: some 80 MB, and seconds"""
SEED = 20_210_707
SMALL = 4096
"""counts whose interval or p-value is kept: boards ask for the same ones many thousand times"""

Row: TypeAlias = tuple[float, str, float]
"""value, group, weight"""
Ends: TypeAlias = tuple[float | None, float | None]


def pass_at(k: int, of: str = "passed") -> Metric:
    """Give the chance that at least one of k draws passes, from n >= k draws of each sample.

    The unbiased estimator of Chen et al. 2021 (arXiv:2107.03374): 1 - C(n-c, k) / C(n, k)
    for c draws of n whose value is 1.
    """
    if k < 1:
        raise ValueError(f"pass@{k}: k starts at 1.")

    def chance(values: Sequence[float]) -> float:
        n = len(values)
        if n < k:
            raise ValueError(f"pass@{k} needs {k} draws of a sample, not {n}.")
        failed = sum(value != 1 for value in values)
        return 1.0 - comb(failed, k) / comb(n, k)

    return Metric(of=of, reduce=chance, draws=k)


def mean_of(
    of: str,
    low: float | None = 0.0,
    high: float | None = 1.0,
    *,
    lower_is_better: bool = False,
) -> Metric:
    """Give the mean of a value over the draws of a sample."""
    return Metric(of=of, reduce=fmean, low=low, high=high, lower_is_better=lower_is_better)


@lru_cache(maxsize=SMALL)
def wilson(successes: int, n: int) -> tuple[float, float]:
    """Give Wilson's 95% interval of a proportion, n >= 1."""
    from scipy.stats import binomtest  # heavy

    interval = binomtest(successes, n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


@lru_cache(maxsize=SMALL)
def _coins(heads: int, coins: int) -> float:
    """Give the exact two-sided p-value of so many heads for a coin that is fair."""
    from scipy.stats import binomtest  # heavy

    return float(binomtest(heads, coins).pvalue)


@lru_cache(maxsize=SMALL)
def bonett_price(lost: int, won: int, n: int) -> tuple[float, float]:
    """Give the 95% interval of (won - lost) / n, n >= 1, for pairs that differ by -1, 0 or 1.

    Bonett and Price 2012 (doi:10.3102/1076998611411915): Wald's, with one pair more on each side.
    """
    down, up = (lost + 1) / (n + 2), (won + 1) / (n + 2)
    half = NormalDist().inv_cdf(0.975) * sqrt((down + up - (up - down) ** 2) / (n + 2))
    return max(up - down - half, -1.0), min(up - down + half, 1.0)


def sign_flips(differences: Sequence[float | None], groups: Sequence[str]) -> float | None:
    """Give the exact two-sided p-value of paired differences, with whole groups as pairs.

    The hypothesis is that each group's sum is as likely to have the other sign. Where each group
    occurs once and differs by -1, 0 or 1, this is McNemar's exact test. None where a group's sum is
    no whole number or a difference was not scored, where there is none, or where the sums are too
    many.
    """
    import numpy as np  # heavy

    parts: defaultdict[str, list[float]] = defaultdict(list)
    for difference, group in zip(differences, groups, strict=True):
        if difference is None:
            return None
        parts[group].append(difference)
    sums_of = {group: fsum(each) for group, each in parts.items()}
    if any(abs(total - round(total)) > 1e-6 for total in sums_of.values()):
        return None
    totals = {group: round(total) for group, total in sums_of.items()}
    sizes = sorted(abs(total) for total in totals.values() if total)
    if not totals or sum(sizes) >= LONGEST:
        return None
    if sizes and sizes[0] == sizes[-1]:  # so many coins; the sum below would take their square
        return _coins(sum(total > 0 for total in totals.values()), len(sizes))
    chances = np.ones(1)  # of each sum of the sizes with a plus, from 0
    for size in sizes:
        longer = np.zeros(len(chances) + size)
        longer[: len(chances)] = chances / 2
        longer[size:] += chances / 2
        chances = longer
    sums = 2 * np.arange(len(chances)) - sum(sizes)
    return min(float(chances[np.abs(sums) >= abs(sum(totals.values()))].sum()), 1.0)


def p_value(found: Estimate, groups: int) -> float | None:
    """Give the two-sided p-value for no difference that an interval implies.

    By Student's t over the groups that were resampled, from the end of the interval that lies
    towards 0: p < 0.05 just where the interval leaves 0 out. None where that end is not known.
    """
    from scipy.stats import t  # heavy

    if found.value is None or groups < 2:
        return None
    end = found.low if found.value > 0 else found.high
    if not found.value:
        return 1.0
    if end is None or end == found.value:
        return None
    errors = found.value / (found.value - end) * float(t.ppf(0.975, groups - 1))
    return float(2 * t.sf(abs(errors), groups - 1))


def holm(p_values: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """Give p-values corrected for their number, in the same order (Holm 1979).

    With `weights` (positive) a hypothesis of more weight gets more of the error that is allowed:
    section 4 of the paper.
    """
    shares = [1.0] * len(p_values) if weights is None else weights
    order = sorted(range(len(p_values)), key=lambda at: p_values[at] / shares[at])
    corrected, least, left = [0.0] * len(p_values), 0.0, fsum(shares)
    for at in order:
        least = max(least, min(1.0, p_values[at] * (left / shares[at])))
        corrected[at] = least
        left -= shares[at]
    return corrected


def estimate(
    values: Sequence[float | None],
    groups: Sequence[str],
    weights: Sequence[float] | None = None,
    low: float | None = 0.0,
    high: float | None = 1.0,
) -> Estimate:
    """Give the weighted mean over samples, with its 95% interval.

    `values`, `groups` and `weights` (positive, 1 where left out) have one entry a sample; `low`
    and `high` bound the values. A value of None was not scored: it is left out of the mean, and
    the interval reaches from where all such samples are at `low` to where they are at `high`.
    An end that nothing bounds is None.
    """
    weights = [1.0] * len(values) if weights is None else weights
    samples = list(zip(values, groups, weights, strict=True))
    scored = [(value, group, weight) for value, group, weight in samples if value is not None]
    if not scored:
        return Estimate(None, low, high, len(samples))
    lower, upper = _interval(scored, low, high)
    if len(scored) < len(samples):
        lower = _end(0, lower, samples, low, high)
        upper = _end(1, upper, samples, low, high)
    return Estimate(_mean(scored), lower, upper, len(samples))


def _end(
    side: int,
    scored: float | None,
    samples: Sequence[tuple[float | None, str, float]],
    low: float | None,
    high: float | None,
) -> float | None:
    """Give one end (0 lower, 1 upper), with every unscored sample at the bound of that side.

    Never nearer than the end that the scored samples alone have: what is missing tells nothing.
    """
    bound = (low, high)[side]
    if bound is None or scored is None:
        return None
    rows = [(bound if value is None else value, group, w) for value, group, w in samples]
    end = _interval(rows, low, high)[side]
    return scored if end is None else (min, max)[side](scored, end)


def _interval(rows: Sequence[Row], low: float | None, high: float | None) -> Ends:
    counts = Counter(value for value, _, _ in rows)
    share = (low, high) == (0, 1) and counts.keys() <= {0, 1}
    alone = len({group for _, group, _ in rows}) == len(rows)
    if alone and len({weight for _, _, weight in rows}) == 1:
        if share:
            return wilson(counts[1], len(rows))
        if (low, high) == (-1, 1) and counts.keys() <= {-1, 0, 1}:
            return bonett_price(counts[-1], counts[1], len(rows))
    totals = _totals(rows)
    ratios = [total / weight for total, weight in totals]
    mean = _mean(rows)
    if max(ratios) - min(ratios) <= 1e-12 * max(1.0, abs(mean)):
        return _without_spread(mean, len(totals), low, high)
    lower, upper = _resampled(_with_unseen(totals) if share else totals)
    lower, upper = min(lower, mean), max(upper, mean)
    return (
        lower if low is None else max(lower, low),
        upper if high is None else min(upper, high),
    )


def _with_unseen(totals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Add a group that is always right and one that never is.

    Few groups may have a large part of all that is right, and a benchmark none of them by chance,
    which resampling what is there cannot know: over 80 problems of which one in 80 is easy and the
    others nearly hopeless, intervals would hold the truth 58 times in 100. So Agresti and Coull
    (1998) mend a proportion, and Bonett and Price a difference.
    """
    weight = fsum(weight for _, weight in totals) / len(totals)
    return sorted([*totals, (0.0, weight), (weight, weight)])


def _resampled(totals: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Give the bootstrap's interval of sum / weight, widened for few groups."""
    middle = fsum(total for total, _ in totals) / fsum(weight for _, weight in totals)
    low, high = (middle + (end - middle) * stretch(len(totals)) for end in _bootstrap(totals))
    return low, high


@cache
def stretch(groups: int) -> float:
    """Give the factor by which a percentile interval of few groups is too narrow.

    The bootstrap takes the population deviation of the groups for the sample one, and the normal
    quantile for Student's (Hesterberg 2015, "What teachers should know about the bootstrap",
    section 4.2). Without it, intervals over 5 groups cover 87 times in 100 instead of 95.
    """
    from scipy.stats import norm, t

    return float(t.ppf(0.975, groups - 1) / norm.ppf(0.975)) * sqrt(groups / (groups - 1))


def _without_spread(mean: float, groups: int, low: float | None, high: float | None) -> Ends:
    """Give the interval where resampling has no spread: all groups say the same, or one is all.

    Values between two bounds vary at most as those that are always at one of the two, so that
    Wilson's interval on the scale from `low` to `high` is wide enough.
    """
    if low is None or high is None:
        return low, high
    if mean == 0 and low == -high:  # no group differs, which tells more than that they even out
        lower, upper = bonett_price(0, 0, groups)
        return lower * high, upper * high
    hits = round((mean - low) / (high - low) * groups, 9)
    lower, _ = wilson(max(floor(hits), 0), groups)
    _, upper = wilson(min(ceil(hits), groups), groups)
    return min(low + lower * (high - low), mean), max(low + upper * (high - low), mean)


def _bootstrap(totals: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Give the percentile interval of sum / weight over resampled groups."""
    import numpy as np  # heavy

    sums, weights = np.array(totals).T
    batch = max(1, BATCH // len(totals))
    parts = []
    for start in range(0, RESAMPLES, batch):
        drawn = _choices(len(totals), start, min(batch, RESAMPLES - start))
        weight = weights[drawn].sum(axis=1) if weights.min() < weights.max() else weights.sum()
        parts.append(sums[drawn].sum(axis=1) / weight)
    low, high = np.quantile(np.concatenate(parts), (0.025, 0.975))
    return float(low), float(high)


@lru_cache(maxsize=8)
def _choices(groups: int, start: int, number: int) -> "NDArray[np.intp]":
    """Give the groups that so many resamples draw: the same for every metric of a benchmark."""
    import numpy as np

    return np.random.default_rng(SEED + start).integers(groups, size=(number, groups))


def _totals(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Give the weighted sum and the weight of each group.

    Summed exactly and sorted, so that neither the order of samples nor the names of groups
    decide which groups a seed draws.
    """
    members: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for value, group, weight in rows:
        members[group].append((value * weight, weight))
    return sorted((fsum(v for v, _ in m), fsum(w for _, w in m)) for m in members.values())


def _mean(rows: Sequence[Row]) -> float:
    mean = fsum(value * weight for value, _, weight in rows) / fsum(w for _, _, w in rows)
    values = [value for value, _, _ in rows]
    return min(max(mean, min(values)), max(values))  # rounding may step outside
