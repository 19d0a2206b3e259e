"""The tables of a comparison, for a terminal of 110 columns."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.leaderboards.comparison import Comparison, Difference
from bench.leaderboards.sentences import ATTACKS, LISTED, REFUSALS, by_weight, listed
from bench.leaderboards.table import FEW, add_numeric, chance, label, plain

STYLES = {"worse": "bold red", "better": "bold green", "undecided": ""}
MEANING = """\
diff.: candidate less base on the samples that both have; whole problems are resampled. *: sure,
after Holm's correction over all benchmarks, or over all their parts. p: exact, by the signs of
problems (McNemar's test where each occurs once); with ~, from the interval. seen: the smallest true
difference that would be found 4 times in 5; -: none would. flips: samples on which the candidate is
better, and worse."""


def render(
    comparison: Comparison, metric: str | None = None, *, every: bool = False
) -> RenderableType:
    """Give a table for each metric: the first ones of tasks, or the named one, or `every` one.

    Where there are many tasks, only those that surely differ have a row, unless `every` is asked.
    """
    parts: list[RenderableType] = []
    hidden = 0
    for name, entries in _by_metric(comparison, metric, every=every).items():
        tasks = [one for one in entries if not one.tasks]
        shown = tasks
        if len(tasks) > FEW and not every:
            shown = [one for one in tasks if one.verdict() != "undecided"][:FEW]
        hidden += len(tasks) - len(shown)
        rows = [one for one in entries if one.tasks] + shown
        if rows:
            parts += [_table(comparison, name, rows), Text()]
    parts.append(Text(MEANING))
    if hidden:
        parts += [Text(), Text(f"{hidden:,} tasks are not shown one by one; --all shows them.")]
    if every:
        parts += [Text(), *_flips(comparison, metric)]
    if comparison.left_out:
        parts += [Text(), *_left_out(comparison.left_out, every=every)]
    return Group(*parts)


def _by_metric(
    comparison: Comparison, metric: str | None, *, every: bool
) -> dict[str, list[Difference]]:
    """Give the differences to show by metric, with over-refusal behind attack success."""
    found: defaultdict[str, list[Difference]] = defaultdict(list)
    for name in [*comparison.groups, *comparison.tasks]:
        one = comparison.chosen(name, metric)
        if every and metric is None:
            for other in {**comparison.tasks, **comparison.groups}[name].values():
                found[other.metric].append(other)
        elif one:
            found[one.metric].append(one)
    if ATTACKS in found and REFUSALS in found:
        names = [name for name in found if name != REFUSALS]
        names.insert(names.index(ATTACKS) + 1, REFUSALS)
        return {name: by_weight(found[name]) for name in names}
    return {name: by_weight(entries) for name, entries in found.items()}


def _table(comparison: Comparison, metric: str, entries: Sequence[Difference]) -> Table:
    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False, show_edge=False)
    less = "\n(less is better)" if entries[0].lower_is_better else ""
    table.add_column(plain(metric).append(less), overflow="fold")
    add_numeric(table, "base", "cand.", "diff.", "95% interval", "n", "p", "Holm", "seen", "flips")
    for title, members in _sections(entries):
        table.add_section()
        if title:
            table.add_row(Text(title), style="dim")
        for one in sorted(members, key=lambda one: one.name not in comparison.wholes):
            table.add_row(label(one.name), *_row(comparison, one))
    return table


def _sections(entries: Sequence[Difference]) -> Iterator[tuple[str, list[Difference]]]:
    """Divide entries: groups by name, groups of each way of dividing, tasks."""
    sections: defaultdict[tuple[bool, str], list[Difference]] = defaultdict(list)
    for one in entries:
        sections[not one.tasks, one.by].append(one)
    for (single, by), members in sorted(sections.items()):
        yield ("tasks" if single and len(sections) > 1 else f"by {by}" if by else ""), members


def _row(comparison: Comparison, one: Difference) -> Iterator[Text]:
    yield _number(one.base)
    yield _number(one.candidate)
    verdict = one.verdict()
    star = "" if verdict == "undecided" else "*"
    yield (
        Text("none", "bold red")
        if one.value is None
        else Text(f"{one.value:+.3f}{star}", STYLES[verdict])
    )
    yield Text(" to ".join("?" if end is None else f"{end:+.3f}" for end in (one.low, one.high)))
    scored = one.n - one.unscored
    yield Text(f"{scored}/{one.n}", "bold red") if one.unscored else Text(str(one.n))
    p = chance(one.p)
    yield p if one.exact or one.p is None else Text("~").append(p)
    yield chance(one.p_holm)
    yield Text("-") if one.detectable is None else _number(one.detectable)
    won, lost = comparison.flips(one)
    yield Text(f"+{won} -{lost}")


def _number(value: float | None) -> Text:
    return Text("none", "bold red") if value is None else Text(f"{value:.3f}")


def _flips(comparison: Comparison, metric: str | None) -> Iterator[Text]:
    """Name the samples that flipped, task by task."""
    for name in comparison.tasks:
        one = comparison.chosen(name, metric)
        for title, samples in (("worse", one.lost), ("better", one.won)) if one else ():
            if samples and one:
                head = plain(f"{name}, {one.metric} {title} ({len(samples)}): ")
                yield head.append(plain(", ".join(samples)))


def _left_out(left_out: Mapping[str, Sequence[str]], *, every: bool) -> Iterator[Text]:
    """Give the tasks that were not compared, together where the reason is the same."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for name, reasons in left_out.items():
        by_reason["; ".join(reasons)].append(name)
    for reason, names in by_reason.items():
        named = listed(names, len(names) if every else LISTED)
        yield plain(f"Not compared ({len(names):,}): {named}: {reason}.")
