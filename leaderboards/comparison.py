"""Two runs, sample by sample: what differs, how surely, and how small a difference would be seen.

Samples are paired by their id. The difference is that of the candidate to the base, in the unit of
the metric. Whole problems are resampled, as everywhere (design: a problem in 23 languages is one).
p-values are exact, by the signs of problems, or else those that intervals imply. Holm corrects them
in two families: benchmarks as wholes, and everything else, each by its first metric. Each family
errs in at most alpha, half of it by calling something worse, since its tests are two-sided: so a
comparison of two equal models says that of anything in at most alpha. Further metrics are corrected
each by itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from bench.harness import Task
from bench.harness.core import Estimate
from bench.harness.errors import BenchError
from bench.harness.gaps import Pairs, gap, joined
from bench.harness.groups import Group, disjoint, groups_of
from bench.harness.pooling import differing
from bench.harness.stats import Ends, holm, p_value
from bench.leaderboards.comparability import reasons
from bench.leaderboards.matching import Matched, both, match
from bench.leaderboards.power import Spread, spread_behind, spread_of
from bench.leaderboards.runs import Run

ALPHA = 0.05


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
    """two-sided; None where nothing can be said"""
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
    by: str = ""
    """the way of dividing a benchmark that a group comes from"""
    exact: bool = False
    """p is by the signs of problems, and not from the interval"""
    tested: int = 1
    """p-values that were corrected together"""
    bounds: Ends = (0.0, 1.0)
    """of the metric"""
    missing: Sequence[str] = ()
    """the samples of `unscored`; groups name none"""
    spread: Spread | None = None

    @property
    def gain(self) -> float | None:
        """The difference with its sign turned so that more is better."""
        return self.value if self.value is None or not self.lower_is_better else -self.value

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that a comparison like this one sees 4 times in 5.

        As the one difference among all that are tested; None where none is seen, however large.
        """
        return self.smallest(ALPHA / self.tested)

    def smallest(self, level: float) -> float | None:
        """Give the smallest true difference that a test at this level sees 4 times in 5."""
        return self.spread.smallest(level) if self.spread else None

    def needed(self, size: float, level: float | None = None) -> int | None:
        """Give the pairs with which a true difference of this size would be seen 4 times in 5."""
        level = ALPHA / self.tested if level is None else level
        return self.spread.needed(size, level) if self.spread else None

    def verdict(self, alpha: float = ALPHA) -> Literal["better", "worse", "undecided"]:
        """Say whether the candidate is surely better or worse, corrected for all that is tested."""
        if not self.gain or self.p_holm is None or self.p_holm > alpha:
            return "undecided"
        return "better" if self.gain > 0 else "worse"


Differences: TypeAlias = dict[str, dict[str, Difference]]
"""by task or group, and by metric"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that can be compared of two runs, and why the rest cannot."""

    base: str
    candidate: str
    tasks: Differences
    """the task's first metric first"""
    groups: Differences
    wholes: Sequence[str]
    """the largest groups whose tasks share their first metric, and the tasks that are in none"""
    left_out: Mapping[str, Sequence[str]]
    """tasks that are not compared, with the reasons"""

    def chosen(self, name: str, metric: str | None = None) -> Difference | None:
        """Give the difference of a task or group in a metric, or in the first of all its tasks."""
        found = self.groups.get(name) or self.tasks.get(name) or {}
        if metric is None and found:
            tasks = next(iter(found.values())).tasks or [name]
            first = {next(iter(self.tasks[task])) for task in tasks}
            metric = first.pop() if len(first) == 1 else None
        return found.get(metric) if metric else None

    def flips(self, one: Difference) -> tuple[int, int]:
        """Count the samples on which the candidate does better, and those on which it does worse.

        None of a pooled metric, which has no values of samples.
        """
        members = [self.tasks[task][one.metric] for task in one.tasks] or [one]
        return sum(len(m.won) for m in members), sum(len(m.lost) for m in members)


def compare(
    base: Run,
    candidate: Run,
    tasks: Iterable[str] | None = None,
    without: Mapping[str, Collection[str]] | None = None,
) -> Comparison:
    """Compare two runs on the samples that both have.

    Of their `tasks` all unless some are named, and `without` some samples by task. Groups are those
    of the tasks that can be compared.

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
            if one.samples and one.pairs.metrics:
                matched[name] = one
            else:
                left_out[name] = ["no sample in common" if not one.samples else "no metric alike"]
    left_out = {name: why for name, why in left_out.items() if why}
    if not matched:
        why = "; ".join(f"{name}: {', '.join(said)}" for name, said in list(left_out.items())[:3])
        raise BenchError(
            f"{base.folder} and {candidate.folder}: nothing to compare ({why}). Run the same "
            "tasks in the same way."
        )
    draws = int(base.manifest["sampling"].get("n") or 1)
    found = differences([candidate.tasks[name] for name in matched], matched, draws)
    return Comparison(base.name, candidate.name, *found, left_out)


def differences(
    tasks: Sequence[Task], matched: Mapping[str, Matched], draws: int
) -> tuple[Differences, Differences, list[str]]:
    """Give the differences of tasks and of their groups, corrected, and the names of the wholes."""
    groups = groups_of(tasks)
    first = {name: next(iter(one.pairs.metrics)) for name, one in matched.items()}
    alone = {name: dict(_each([one], name, draws)) for name, one in matched.items()}
    together = {
        name: dict(_each([matched[task] for task in group.tasks], name, draws, group))
        for name, group in groups.items()
    }
    wholes = wholes_of(groups, together, first)
    correct([alone, together], wholes, first)
    return alone, {name: found for name, found in together.items() if found}, wholes


def _each(
    members: Sequence[Matched], name: str, draws: int, group: Group | None = None
) -> Iterator[tuple[str, Difference]]:
    """Yield the difference in each metric that the members share, not corrected yet."""
    pairs = joined([one.pairs for one in members])
    problems = len(set(pairs.keys))
    for metric, numbers in gap(pairs, "", draws)["metrics"].items():
        found = Estimate(*(numbers[part] for part in ("value", "low", "high", "n")))
        exact = numbers["p"] is not None
        measured = pairs.metrics[metric]
        one = Difference(
            name=name,
            metric=metric,
            base=both(members, metric, 0),
            candidate=both(members, metric, 1),
            value=found.value,
            low=found.low,
            high=found.high,
            n=found.n,
            p=numbers["p"] if exact else p_value(found, problems),
            p_holm=None,
            lower_is_better=measured.lower_is_better,
            unpaired=sum(member.unpaired for member in members),
            unscored=sum(len(member.missing(metric)) for member in members),
            exact=exact,
            bounds=(measured.low, measured.high),
            spread=_spread(pairs, metric, found, 1 / draws if exact else None),
        )
        if group is None:
            won, lost = members[0].flipped(metric)
            yield metric, replace(one, won=won, lost=lost, missing=members[0].missing(metric))
        else:
            yield metric, replace(one, tasks=group.tasks, by=group.by)


def _spread(pairs: Pairs, metric: str, found: Estimate, unit: float | None) -> Spread | None:
    low, high = differing(pairs.metrics[metric])
    reach = None if low is None or high is None else (high - low) / 2
    if pairs.metrics[metric].pool:
        return spread_behind(found, len(set(pairs.keys)), reach)
    return spread_of(pairs.columns[metric], pairs.keys, unit, reach)


def wholes_of(
    groups: Mapping[str, Group], together: Differences, first: Mapping[str, str]
) -> list[str]:
    """Give the largest groups by name whose tasks share their first metric, and lone tasks.

    `first` gives the first metric of each task.
    """
    sharing = dict[str, Sequence[str]]()
    for name, group in groups.items():
        metrics = {first[task] for task in group.tasks}
        if not group.by and len(metrics) == 1 and metrics <= together[name].keys():
            sharing[name] = group.tasks
    chosen = disjoint(sharing)
    covered = {task for name in chosen for task in sharing[name]}
    return [*chosen, *(task for task in first if task not in covered)]


def correct(kinds: Sequence[Differences], wholes: Sequence[str], first: Mapping[str, str]) -> None:
    """Fill in what depends on how much is tested, in place."""
    families: defaultdict[str, list[tuple[dict[str, Difference], str]]] = defaultdict(list)
    for found in kinds:
        for name, metrics in found.items():
            for metric, one in metrics.items():
                if one.p is not None:
                    tasks = one.tasks or [name]
                    whole = "wholes" if name in wholes else "parts"
                    foremost = {first[task] for task in tasks} == {metric}
                    families[whole if foremost else f"metric {metric}"].append((metrics, metric))
    for family in families.values():
        raw = [metrics[metric].p for metrics, metric in family]
        corrected = holm([p for p in raw if p is not None])
        for (metrics, metric), p in zip(family, corrected, strict=True):
            metrics[metric] = replace(metrics[metric], p_holm=p, tested=len(family))
