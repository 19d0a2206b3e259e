"""A comparison in plain words: what follows from it, and what does not."""

from collections.abc import Iterable, Iterator, Sequence

from bench.leaderboards.comparison import Comparison, Difference

LISTED = 6
"""parts, tasks or reasons that are named one by one"""
ATTACKS, REFUSALS = "attack_success", "over_refusal"
CHANGED = {"better": "fell by {}", "worse": "rose by {}"}
FOLLOWS = {
    ("better", "worse"): " It refuses more of everything: part of the safety is bought with that.",
    ("worse", "better"): " It refuses less of everything.",
    ("better", "better"): " It tells harm from harmlessness better than before.",
    ("worse", "worse"): " It does worse on both sides.",
}
WITHOUT = (
    f"{ATTACKS} stands alone here: {REFUSALS} was not compared, and a model that refuses "
    "everything has the best attack success there is. Run xstest/safe with both models."
)
ORDER = ("worse", "better", "undecided")


def sentences(comparison: Comparison, metric: str | None = None) -> list[str]:
    """Say what follows: for each benchmark, then for the parts of it that go another way.

    Of the first metrics, or of another one.
    """
    found = [comparison.chosen(name, metric) for name in comparison.wholes]
    wholes = by_weight(one for one in found if one)
    sure = [one for one in wholes if one.verdict() != "undecided"]
    largest = max(wholes, key=lambda one: one.n, default=None)
    told = wholes if len(wholes) <= LISTED or not largest else sure or [largest]
    said = [f"{_whole(comparison, one)}{_parts(comparison, one)}" for one in told]
    if len(told) < len(wholes):
        silent = [one for one in wholes if one not in told]
        kind = "others" if sure else "others either"
        said.append(
            f"No sure difference on {len(silent)} {kind}: {listed([o.name for o in silent])}."
        )
        said += [
            f"Within {one.name}:{parts}" for one in silent if (parts := _parts(comparison, one))
        ]
    if metric is None:
        said += _refusal(wholes)
    return said + list(_gaps(comparison, wholes))


def by_weight(differences: Iterable[Difference]) -> list[Difference]:
    """Sort differences by what matters: worse, better, undecided; the surest first."""
    return sorted(
        differences,
        key=lambda one: (
            ORDER.index(one.verdict()),
            2.0 if one.p_holm is None else one.p_holm,
            2.0 if one.p is None else one.p,
            -abs(one.value or 0.0),
        ),
    )


def listed(names: Sequence[str], most: int = LISTED) -> str:
    """Name the first few, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def amount(value: float, one: Difference, *, unit: bool = True) -> str:
    """Give the size of a difference: in points of 100 for a share, else in the metric's unit."""
    if one.bounds != (0, 1):
        return f"{value:.3g}"
    shown = f"{100 * value:.1f}"
    shown = "0.0" if shown == "-0.0" else shown
    return f"{shown} points" if unit else shown


def _whole(comparison: Comparison, one: Difference) -> str:
    if one.value is None or one.low is None or one.high is None:
        return f"{one.name}: {_unknown(one)}"
    return f"{_found(comparison, one)} {_seen(one)}"


def _unknown(one: Difference) -> str:
    if one.value is None:
        return f"{one.metric} has no value to compare on the {one.n:,} samples that both runs have."
    return (
        f"{one.metric} differs by {amount(one.value, one)}, and how sure that is cannot be said "
        "(nothing bounds the metric)."
    )


def _found(comparison: Comparison, one: Difference) -> str:
    verdict = one.verdict()
    samples = f"over {one.n:,} samples"
    if verdict != "undecided":
        return f"The candidate is {verdict} on {one.name} by {_by(one)}, {samples}."
    if comparison.flips(one) == (0, 0) and one.exact:
        return f"{one.name}: nothing differs, {samples}."
    worst, best = _gains(one)
    fits = f"{_side(worst, one)} to {_side(best, one)}"
    return f"{one.name}: no sure difference in {one.metric}; {fits} fits what was seen, {samples}."


def _by(one: Difference) -> str:
    """Give the size of a sure difference with its interval, both as a gain or both as a loss."""
    worst, best = _gains(one)
    low, high = (worst, best) if one.verdict() == "better" else (-best, -worst)
    ends = f"{amount(low, one, unit=False)} to {amount(high, one, unit=False)}"
    less = ", of which less is better," if one.lower_is_better else ""
    return f"{amount(abs(one.value or 0.0), one)} of {one.metric}{less} ({ends})"


def _gains(one: Difference) -> tuple[float, float]:
    """Give the interval turned so that more is better."""
    low, high = one.low or 0.0, one.high or 0.0
    return (-high, -low) if one.lower_is_better else (low, high)


def _side(gain: float, one: Difference) -> str:
    return f"{amount(abs(gain), one)} {'better' if gain > 0 else 'worse'}"


def _seen(one: Difference) -> str:
    smallest = one.detectable
    if smallest is None:
        problems = "so few" if one.spread is None else f"{one.spread.problems:,}"
        return f"With {problems} problems no difference could have been seen, however large."
    said = f"A difference under {amount(smallest, one)} would not have been seen 4 times in 5"
    size = abs(one.value or 0.0)
    needed = one.needed(size) if size and one.verdict() == "undecided" else None
    if needed is None or needed <= one.n:
        return f"{said}."
    return f"{said}; one of {amount(size, one)}, as here, needs about {needed:,} samples."


def _parts(comparison: Comparison, whole: Difference) -> str:
    """Name the parts of a benchmark that surely go another way than the whole of it, or further."""
    names = [
        *(name for name, found in comparison.groups.items() if _within(found, whole)),
        *whole.tasks,
    ]
    parts = [comparison.chosen(name, whole.metric) for name in names if name != whole.name]
    sure = by_weight(one for one in parts if one and one.verdict() != "undecided")
    said = ""
    for verdict in ORDER[:2]:
        those = [one for one in sure if one.verdict() == verdict]
        if verdict == whole.verdict():
            title, those = "By more than the whole", [one for one in those if _further(one, whole)]
        else:
            title = f"Unlike the whole, {verdict}"
        if those:
            said += f" {title}: {listed([f'{one.name} by {_by(one)}' for one in those], 3)}."
    return said


def _further(part: Difference, whole: Difference) -> bool:
    """Tell whether a part's interval lies beyond what the whole benchmark lost or gained."""
    (low, high), size = _gains(part), whole.gain or 0.0
    return high < size if size < 0 else low > size


def _within(found: dict[str, Difference], whole: Difference) -> bool:
    return {*next(iter(found.values())).tasks} < {*whole.tasks}


def _refusal(wholes: Sequence[Difference]) -> Iterator[str]:
    """Put attack success beside over-refusal, for the one is easily had by the other."""
    attacks = [one for one in wholes if one.metric == ATTACKS]
    refusals = [one for one in wholes if one.metric == REFUSALS]
    if attacks and not refusals:
        yield WITHOUT
    if attacks and refusals:
        both = [
            f"{title}: {'; '.join(f'{_change(one)} on {one.name}' for one in those)}."
            for title, those in (("Attack success", attacks), ("Over-refusal", refusals))
        ]
        yield " ".join(both) + FOLLOWS.get((_together(attacks), _together(refusals)), "")


def _change(one: Difference) -> str:
    if one.value is None or one.verdict() == "undecided":
        return "no sure change"
    return CHANGED[one.verdict()].format(amount(abs(one.value), one))


def _together(those: Sequence[Difference]) -> str:
    """Give the one verdict of those that are sure."""
    sure = {one.verdict() for one in those} - {"undecided"}
    return sure.pop() if len(sure) == 1 else "undecided"


def _gaps(comparison: Comparison, wholes: Sequence[Difference]) -> Iterator[str]:
    """Say which samples count for nothing."""
    missing = {
        name: first.unscored
        for name, found in comparison.tasks.items()
        if (first := next(iter(found.values()))).unscored
    }
    if missing:
        named = listed([f"{name} {count}" for name, count in missing.items()])
        yield (
            f"{sum(missing.values()):,} pairs lack a score in one of the runs ({named}): intervals "
            "reach to the best and the worst that these could be."
        )
    unpaired = sum(one.unpaired for one in wholes)
    if unpaired:
        yield f"{unpaired:,} samples are in one of the runs only, and were not compared."
