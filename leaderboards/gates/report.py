"""What a gate found: in words, as a table for the terminal, as Markdown, JUnit XML and JSON."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.leaderboards.comparison import Difference
from bench.leaderboards.gates.ruling import Check, Outcome, Ruling
from bench.leaderboards.sentences import amount, listed
from bench.leaderboards.table import escaped

if TYPE_CHECKING:
    from junitparser import TestCase, TestSuite
    from rich.table import Table

HEADINGS = {
    0: "passed",
    1: "failed, for there is a regression",
    3: "undecided, for not everything could be shown",
}
COLUMNS = ("check", "metric", "baseline", "candidate", "difference", "95% interval", "n", "p", "")
LISTED = 20
"""checks, samples or tasks that are named one by one"""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""what XML cannot hold, nor a terminal show"""


def heading(ruling: Ruling) -> str:
    """Give the result in one line."""
    return f"Gate {HEADINGS[ruling.exit_code]}: {ruling.candidate} against {ruling.base}"


def findings(ruling: Ruling) -> list[str]:
    """Give a sentence for each check that did not pass, regressions first, or one for all."""
    order = list(Outcome)
    failed = [check for check in ruling.checks if check.outcome is not Outcome.PASSED]
    failed.sort(key=lambda check: order.index(check.outcome))
    sentences = [said(check) for check in failed[:LISTED]]
    if len(failed) > LISTED:
        sentences.append(f"{len(failed) - LISTED:,} more checks did not pass.")
    return sentences or ["Nothing got worse by more than it may."]


def shown(ruling: Ruling) -> list[Check]:
    """Give the checks that a reader wants to see: the wholes, and the parts that did not pass."""
    return [check for check in ruling.checks if not check.within or check.outcome != Outcome.PASSED]


def said(check: Check) -> str:
    """Say in one sentence what became of a check."""
    one = check.difference
    if one is None or check.outcome is Outcome.NOT_EVALUATED:
        return f"{check.name} was not evaluated: {check.reason}."
    if check.outcome is Outcome.REGRESSION:
        worse = "rose" if one.lower_is_better else "fell"
        low, high = sorted(end * (1 if one.lower_is_better else -1) for end in _ends(one))
        return (
            f"{check.name}: {one.metric} {worse} by {amount(abs(one.value or 0.0), one)} (95% "
            f"interval {amount(low, one, unit=False)} to {amount(high, one, unit=False)}, "
            f"{_p(check.p)} after Holm), from {_number(one.base)} to {_number(one.candidate)}; "
            f"{amount(check.allowed, one)} may be lost."
        )
    if check.outcome is Outcome.TOO_SMALL:
        needed, smallest = one.needed(check.seen, check.level), one.smallest(check.level)
        seen = "" if smallest is None else f", only {amount(smallest, one)} and more"
        enough = "" if needed is None else f" About {needed:,} samples would do."
        return (
            f"{check.name}: a drop of {amount(check.seen, one)} in {one.metric} cannot be seen "
            f"with {one.n:,} samples{seen}.{enough}"
        )
    return (
        f"{check.name}: {one.metric} went from {_number(one.base)} to {_number(one.candidate)}, "
        f"and no drop of more than {amount(check.allowed, one)} is to be seen."
    )


def remarks(ruling: Ruling) -> Iterator[str]:
    """Say what was not looked at."""
    if ruling.quarantined:
        count = sum(map(len, ruling.quarantined.values()))
        names = [f"{task} {one}" for task, ones in ruling.quarantined.items() for one in ones]
        yield f"Quarantined, for they are flaky ({count}): {listed(names, LISTED)}."
    if ruling.ignored:
        yield f"Ignored by the policy ({len(ruling.ignored)}): {listed(ruling.ignored, LISTED)}."
    if ruling.added:
        yield f"Only the candidate has ({len(ruling.added)}): {listed(ruling.added, LISTED)}."


def table(ruling: Ruling) -> "Table":
    """Give the checks as a table for the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in COLUMNS:
        left = name in {"check", "metric", ""}
        made.add_column(
            name, justify="left" if left else "right", overflow="fold", no_wrap=not left
        )
    for check in shown(ruling):
        made.add_row(*(Text(clean(cell)) for cell in _row(check)))
    return made


def markdown(ruling: Ruling) -> str:
    """Give a summary for a pull request."""
    lines = [f"### {escaped(heading(ruling))}", ""]
    lines += [f"- {escaped(sentence)}" for sentence in findings(ruling)]
    lines += ["", _cells(COLUMNS), _cells(["---"] * len(COLUMNS))]
    lines += [_cells(escaped(cell) for cell in _row(check)) for check in shown(ruling)]
    for check in ruling.checks:
        if check.outcome is Outcome.REGRESSION and check.difference and check.difference.lost:
            lost = check.difference.lost
            title = f"{len(lost)} samples of {escaped(check.name)} became worse"
            lines += [f"\n<details><summary>{title}</summary>\n"]
            lines += [f"{escaped(listed(lost, LISTED))}\n\n</details>"]
    lines += ["", *(f"{escaped(remark)}\n" for remark in remarks(ruling))]
    return "\n".join(lines).rstrip() + "\n"


def annotations(ruling: Ruling) -> list[str]:
    """Give GitHub's workflow commands, a line each."""
    levels = {Outcome.REGRESSION: "error", Outcome.PASSED: "notice"}
    return [
        f"::{levels.get(check.outcome, 'warning')} title=bench gate::{_workflow(said(check))}"
        for check in shown(ruling)
    ]


def junit(ruling: Ruling) -> str:
    """Give JUnit XML, a case a check: a regression is a failure, what is unproven an error."""
    from junitparser import JUnitXml, TestSuite

    suite = TestSuite("bench gate")
    for check in ruling.checks:
        suite.add_testcase(_case(check))
    _add_skipped(suite, ruling.ignored)
    file = JUnitXml("bench gate")
    file.add_testsuite(suite)
    written: bytes = file.tostring()  # type: ignore[no-untyped-call]
    return written.decode()


def as_json(ruling: Ruling) -> dict[str, Any]:
    """Give everything as plain JSON."""
    return {
        "result": HEADINGS[ruling.exit_code].partition(",")[0],
        "exit_code": ruling.exit_code,
        "baseline": ruling.base,
        "candidate": ruling.candidate,
        "policy": ruling.policy.model_dump(),
        "checks": [asdict(check) | {"said": said(check)} for check in ruling.checks],
        "ignored": list(ruling.ignored),
        "added": list(ruling.added),
        "quarantined": {task: list(ones) for task, ones in ruling.quarantined.items()},
    }


def clean(text: str) -> str:
    """Replace what neither a terminal nor XML can show."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _case(check: Check) -> "TestCase":
    from junitparser import Error, Failure, TestCase

    case = TestCase(clean(check.name), classname=clean(check.within or "bench gate"))
    words = clean(said(check))
    if check.outcome is Outcome.REGRESSION:
        case.result = [Failure(words, "regression")]
    elif check.outcome is not Outcome.PASSED:
        case.result = [Error(words, check.outcome.value)]
    return case


def _add_skipped(suite: "TestSuite", names: Sequence[str]) -> None:
    from junitparser import Skipped, TestCase

    for name in names:
        case = TestCase(clean(name), classname="bench gate")
        case.result = [Skipped("ignored by the policy")]
        suite.add_testcase(case)


def _row(check: Check) -> list[str]:
    one = check.difference
    if one is None:
        return [check.name, *[""] * 7, f"{check.outcome.value}: {check.reason}"]
    within = f"{_number(one.low, sign=True)} to {_number(one.high, sign=True)}"
    return [
        check.name,
        one.metric,
        _number(one.base),
        _number(one.candidate),
        _number(one.value, sign=True),
        within,
        f"{one.n:,}",
        _p(check.p).removeprefix("p "),
        check.outcome.value,
    ]


def _ends(one: Difference) -> tuple[float, float]:
    return one.low or 0.0, one.high or 0.0


def _number(value: float | None, *, sign: bool = False) -> str:
    return "?" if value is None else f"{value:{'+' if sign else ''}.3f}"


def _p(p: float | None) -> str:
    if p is None:
        return "no exact p"
    return f"p {p:.3f}" if p >= 0.001 else "p < 0.001"


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _workflow(text: str) -> str:
    """Escape what ends a workflow command."""
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
