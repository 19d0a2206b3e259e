"""Whether a candidate may replace a baseline: every check with its outcome, and why.

A check is a benchmark as a whole, wherever its tasks share their first metric, or else a task. Its
drop counts as a regression where it is larger than the policy allows and sure: paired, with whole
problems as the unit, one-sided, and corrected by Holm over everything that is tested. The tasks of
a benchmark are tested beside it, so that a drop in one language is not averaged away; together they
get a fifth of the error that is allowed, and need not be large enough to prove anything by
themselves, unless the policy names them.

A check without a sure drop passes only if a drop worth failing for would have been seen: the
interval excludes it, or 4 of 5 comparisons of this size would find it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.harness.core import Verdict
from bench.harness.errors import BenchError, Unfinished
from bench.harness.stats import holm
from bench.leaderboards.comparison import Comparison, Difference, compare
from bench.leaderboards.policy import Policy
from bench.leaderboards.runs import Run, primary

REGRESSION, UNPROVEN = 1, 3
OF_PARTS = 0.2
"""share of the error allowed that goes to the tasks of benchmarks, all of them together"""


class Outcome(StrEnum):
    """How a check ended; the worst one decides."""

    REGRESSION = "regression"
    NOT_EVALUATED = "not evaluated"
    """a run lacks it, has done it in another way, or some of it failed on our side"""
    TOO_SMALL = "too few samples"
    """a drop worth failing for could not have been seen"""
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Check:
    """One benchmark or task, looked at."""

    name: str
    outcome: Outcome
    difference: Difference | None = None
    """None where nothing could be compared"""
    p: float | None = None
    """one-sided, after Holm over all checks"""
    allowed: float = 0.0
    """the largest drop that passes, in the unit of the metric"""
    seen: float = 0.0
    """the drop that must be visible, in the unit of the metric"""
    within: str = ""
    """the check of the whole benchmark, for a task that is looked at beside it"""
    reason: str = ""
    """of what was not evaluated"""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a gate found."""

    base: str
    candidate: str
    policy: Policy
    checks: Sequence[Check]
    ignored: Sequence[str]
    added: Sequence[str]
    """tasks that only the candidate has"""
    quarantined: Mapping[str, Collection[str]]
    """samples known to be flaky, by task; they are not compared"""

    @property
    def exit_code(self) -> int:
        """0 passed, 1 regression, 3 not everything evaluated, or not enough evidence."""
        outcomes = {check.outcome for check in self.checks}
        if Outcome.REGRESSION in outcomes:
            return REGRESSION
        return UNPROVEN if outcomes - {Outcome.PASSED} else 0


def judge(
    base: Run, candidate: Run, policy: Policy, flaky: Mapping[str, Collection[str]]
) -> Ruling:
    """Compare a candidate with its baseline, without the samples that are known to be flaky.

    Raises:
        BenchError: the policy ignores everything, or counts a metric that a task has not got.
        Unfinished: nothing of the two runs can be compared.

    """
    ignored = [name for name in base.tasks if policy.ignores(name)]
    names = [name for name in base.tasks if name not in ignored]
    if not names:
        raise BenchError("The policy ignores all tasks of the baseline. Leave some of them.")
    try:
        comparison = compare(base, candidate, names, flaky)
    except BenchError as problem:
        raise Unfinished(str(problem)) from problem
    differences = list(_chosen(comparison, base, policy))
    corrected = holm([_of_a_drop(one) for one, _ in differences], _weights(differences))
    checks = [
        _check(one, within, p, policy, (base, candidate))
        for (one, within), p in zip(differences, corrected, strict=True)
    ]
    checks += [
        Check(name, Outcome.NOT_EVALUATED, reason="; ".join(why))
        for name, why in comparison.left_out.items()
    ]
    return Ruling(
        base=base.name,
        candidate=candidate.name,
        policy=policy,
        checks=checks,
        ignored=ignored,
        added=[name for name in candidate.tasks if name not in base.tasks],
        quarantined={task: flaky[task] for task in comparison.tasks if flaky.get(task)},
    )


def _chosen(comparison: Comparison, base: Run, policy: Policy) -> Iterator[tuple[Difference, str]]:
    """Yield what is tested, each with the benchmark that it is looked at beside, if any."""
    covered: dict[str, str] = {}
    for name in _wholes(comparison, base):
        yield _counted(comparison.groups[name], name, policy), ""
        covered |= dict.fromkeys(base.groups[name].tasks, name)
    for name in comparison.groups:
        if policy.names(name) and name not in covered.values():
            yield _counted(comparison.groups[name], name, policy), ""
    for name, found in comparison.tasks.items():
        yield _counted(found, name, policy), covered.get(name, "")


def _of_a_drop(one: Difference) -> float:
    """Give the one-sided p-value of a drop: the distribution without a difference is symmetric."""
    if one.p is None or one.gain is None:
        return 1.0
    return one.p / 2 if one.gain < 0 else 1 - one.p / 2


def _weights(differences: Sequence[tuple[Difference, str]]) -> list[float]:
    parts = sum(bool(within) for _, within in differences)
    wholes = len(differences) - parts
    return [OF_PARTS / parts if within else (1 - OF_PARTS) / wholes for _, within in differences]


def _wholes(comparison: Comparison, base: Run) -> list[str]:
    """Give the largest groups by name whose tasks have one first metric, no task in two of them."""
    by_size = sorted(
        (name for name in comparison.groups if not base.groups[name].by),
        key=lambda name: -len(base.groups[name].tasks),
    )
    chosen, covered = list[str](), set[str]()
    for name in by_size:
        tasks = base.groups[name].tasks
        first = {primary(base.tasks[task]) for task in tasks}
        if len(first) == 1 and first <= comparison.groups[name].keys() and not covered & {*tasks}:
            chosen.append(name)
            covered.update(tasks)
    return chosen


def _counted(found: Mapping[str, Difference], name: str, policy: Policy) -> Difference:
    """Give the difference in the metric that counts."""
    metric = policy.metric(name) or next(iter(found))
    if metric not in found:
        raise BenchError(
            f"The policy counts {metric!r} of {name}, which has {', '.join(found)}. Name one of "
            "these."
        )
    return found[metric]


def _check(one: Difference, within: str, p: float, policy: Policy, runs: tuple[Run, Run]) -> Check:
    tasks = one.tasks or [one.name]
    reach = _reach(one, runs[0], tasks[0])
    allowed, seen = policy.allowed(one.name) * reach, policy.seen(one.name) * reach
    failed = {run.name: _failed(run, tasks) for run in runs}
    demanded = not within or policy.names(one.name)
    outcome, reason = Outcome.PASSED, ""
    if one.gain is not None and -one.gain > allowed and p <= policy.alpha:
        outcome = Outcome.REGRESSION
    elif demanded and any(failed.values()):
        outcome = Outcome.NOT_EVALUATED
        reason = "; ".join(f"{n} infrastructure errors in {run}" for run, n in failed.items() if n)
    elif demanded and not _visible(one, seen):
        outcome = Outcome.TOO_SMALL
    return Check(one.name, outcome, one, p, allowed, seen, within, reason)


def _visible(one: Difference, drop: float) -> bool:
    """Tell whether a drop of this size is excluded, or would have been seen if it were there."""
    if one.low is None or one.high is None or one.detectable is None:
        return False
    worst = -one.high if one.lower_is_better else one.low
    return worst > -drop or one.detectable <= drop


def _reach(one: Difference, run: Run, task: str) -> float:
    """Give what a metric can reach at best, in its own unit; the base's value if nothing is."""
    high = run.tasks[task].metrics[one.metric].high
    return abs(high) if high else abs(one.base or 0.0)


def _failed(run: Run, tasks: Sequence[str]) -> int:
    """Count the answers that failed on our side."""
    entries = [run.summary["tasks"].get(task, {}) for task in tasks]
    return sum(e.get("verdicts", {}).get(Verdict.INFRASTRUCTURE_ERROR.value, 0) for e in entries)
