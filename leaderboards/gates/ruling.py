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
from bench.leaderboards.gates.policy import Policy
from bench.leaderboards.runs import Run

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
    level: float = 0.0
    """of the two-sided test that is as strict as this one among all checks"""
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
    tested = list(_chosen(comparison, policy))
    weights = _weights([bool(within) and not policy.names(one.name) for one, within in tested])
    corrected = holm([_of_a_drop(one) for one, _ in tested], weights)
    checks = [
        _check(one, within, p, weight, policy, (base, candidate))
        for (one, within), p, weight in zip(tested, corrected, weights, strict=True)
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


def _chosen(comparison: Comparison, policy: Policy) -> Iterator[tuple[Difference, str]]:
    """Yield what is tested, each with the benchmark that it is looked at beside, if any."""
    within = dict[str, str]()
    for name in comparison.wholes:
        one = _counted(comparison, name, policy)
        within |= dict.fromkeys(one.tasks, name)
        yield one, ""
    for name in [*comparison.groups, *comparison.tasks]:
        if name not in comparison.wholes and (name in within or policy.names(name)):
            yield _counted(comparison, name, policy), within.get(name, "")


def _of_a_drop(one: Difference) -> float:
    """Give the one-sided p-value of a drop: the distribution without a difference is symmetric."""
    if one.p is None or one.gain is None:
        return 1.0
    return one.p / 2 if one.gain < 0 else 1 - one.p / 2


def _weights(parts: Sequence[bool]) -> list[float]:
    """Give each check its share of the error that is allowed; `parts` are looked at beside."""
    share = OF_PARTS if any(parts) and not all(parts) else 0.0
    wholes = len(parts) - sum(parts)
    return [share / sum(parts) if part else (1 - share) / wholes for part in parts]


def _counted(comparison: Comparison, name: str, policy: Policy) -> Difference:
    """Give the difference in the metric that counts."""
    metric = policy.metric(name)
    one = comparison.chosen(name, metric)
    if one is None:
        known = ", ".join({**comparison.tasks, **comparison.groups}[name])
        counted = f"counts {metric!r} of {name}" if metric else f"names {name}"
        raise BenchError(
            f"The policy {counted}, whose metrics are {known}. Name one of these as its metric."
        )
    return one


def _check(  # noqa: PLR0917 - what is known of one check
    one: Difference,
    within: str,
    p: float,
    weight: float,
    policy: Policy,
    runs: tuple[Run, Run],
) -> Check:
    reach = _reach(one)
    allowed, seen = policy.allowed(one.name) * reach, policy.seen(one.name) * reach
    level = 2 * policy.alpha * weight  # that of the two-sided test which is as strict
    failed = {run.name: _failed(run, one.tasks or [one.name]) for run in runs}
    demanded = not within or policy.names(one.name)
    outcome, reason = Outcome.PASSED, ""
    if one.gain is not None and -one.gain > allowed and p <= policy.alpha:
        outcome = Outcome.REGRESSION
    elif demanded and any(failed.values()):
        outcome = Outcome.NOT_EVALUATED
        reason = "; ".join(f"{n} infrastructure errors in {run}" for run, n in failed.items() if n)
    elif demanded and not _visible(one, seen, level):
        outcome = Outcome.TOO_SMALL
    return Check(one.name, outcome, one, p, allowed, seen, level, within, reason)


def _visible(one: Difference, drop: float, level: float) -> bool:
    """Tell whether a drop of this size is excluded, or would have been seen if it were there."""
    if one.low is None or one.high is None:
        return False
    worst = -one.high if one.lower_is_better else one.low
    smallest = one.smallest(level)
    return worst > -drop or (smallest is not None and smallest <= drop)


def _reach(one: Difference) -> float:
    """Give what a metric can reach at best, in its own unit; the base's value if nothing is."""
    high = one.bounds[1]
    return abs(high) if high else abs(one.base or 0.0)


def _failed(run: Run, tasks: Sequence[str]) -> int:
    """Count the answers that failed on our side."""
    entries = [run.summary["tasks"].get(task, {}) for task in tasks]
    return sum(e.get("verdicts", {}).get(Verdict.INFRASTRUCTURE_ERROR.value, 0) for e in entries)
