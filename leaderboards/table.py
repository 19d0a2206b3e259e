"""The final tables of a run, for a terminal of 100 columns."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.harness.core import Verdict
from bench.harness.gaps import common_name

# "passed" is the score itself; our own failures are the unscored samples.
SHOWN = tuple(
    verdict for verdict in Verdict if verdict not in {Verdict.PASSED, Verdict.INFRASTRUCTURE_ERROR}
)
RATES = {"truncated": "at token limit", "empty": "empty"}
"""rates over all answers, whatever their verdict"""
FEW = 24
"""tasks that are shown one by one without being asked for"""
NAME = 28
"""characters of a name on a line, where it has a slash to break at"""
MEANING = """\
gap: the mean difference on the same problems, every pair weighing the same; whole problems are
resampled. p: exact, by the signs of problems (McNemar's test where each occurs once). Holm: over
the tasks of one baseline, or the groups of one section."""
LONGER = "tokens: how many more the model reads for a question, in the mean."

BESIDE = """\
attack_success without over_refusal: xstest/safe was not run. A model that refuses everything looks
best here; run that task as well before these numbers are used."""

WORSE = "The judge agrees with people less often than chance would (kappa below 0) on"


def render(
    summary: Mapping[str, Any], manifest: Mapping[str, Any], *, every: bool = False
) -> RenderableType:
    """Give the header and the tables of groups, of tasks, and of gaps to baselines.

    Where there are many tasks, their own rows are shown only if `every` task is asked for.
    """
    tasks, groups = summary["tasks"], summary["groups"]
    shown = tasks if every or len(tasks) <= FEW or not groups else {}
    parts: list[RenderableType] = [_header(manifest)]
    if groups:
        parts += [Text(), _scores("group", groups), Text(), Text(_weighing(groups))]
    if shown or not groups:
        parts += [Text(), _scores("task", shown)]
    gaps = _gaps(groups, shown)
    if gaps:
        parts += [Text(), gaps]
    measured = {metric for entry in tasks.values() for metric in entry["metrics"]}
    if "attack_success" in measured and "over_refusal" not in measured:
        parts += [Text(), Text(BESIDE)]
    bad = [name for name, entry in tasks.items() if _judged_badly(entry["metrics"])]
    if bad:
        parts += [Text(), plain(f"{WORSE} {', '.join(bad)}.")]
    if len(shown) < len(tasks):
        parts += [Text(), Text(f"{len(tasks)} tasks are not shown one by one; --all shows them.")]
    return Group(*parts)


def _judged_badly(metrics: Mapping[str, Mapping[str, Any]]) -> bool:
    """Tell whether a judge that stands beside people does worse than chance."""
    return any(
        name.endswith("worse_than_chance") and numbers["value"] == 1
        for name, numbers in metrics.items()
    )


def _scores(kind: str, entries: Mapping[str, Any]) -> Table:
    """Give a row for each entry and metric, in sections by where groups come from."""
    table = _empty(kind, entries)
    if kind == "group":
        table.add_column("tasks", justify="right", no_wrap=True)
    table.add_column("metric", overflow="fold", max_width=24)
    add_numeric(table, "value", "95% interval", "n")
    table.add_column("verdicts", overflow="ellipsis")
    for by, members in _sections(table, entries):
        for name, entry in members.items():
            _add_rows(table, name, entry, short=bool(by))
    return table


def _empty(kind: str, entries: Mapping[str, Any]) -> Table:
    """Give a table with one column, for names, which other columns do not squeeze."""
    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False, show_edge=False)
    lines = [line for name in entries for line in _folded(name).split("\n")]
    table.add_column(kind, overflow="fold", no_wrap=all(len(line) <= NAME for line in lines))
    return table


def add_numeric(table: Table, *names: str) -> None:
    """Add columns of numbers, which are never broken."""
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)


def _weighing(groups: Mapping[str, Any]) -> str:
    """Say how the tasks of a group are weighed, and where that makes no difference."""
    metrics = [entry["metrics"] for entry in groups.values()]
    merged = any(len(_merged(one)) < len(one) for one in metrics)
    neither = "; neither named: both are the same." if merged else "."
    return f"micro: every sample weighs the same; macro: every task does{neither}"


def _merged(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Give one metric for a micro and a macro one that are the same number."""
    merged = dict[str, Any]()
    for name, numbers in metrics.items():
        plain = name.removesuffix(" (micro)")
        if plain != name and metrics[f"{plain} (macro)"] == numbers:
            merged[plain] = numbers
        elif name.removesuffix(" (macro)") not in merged:
            merged[name] = numbers
    return merged


def _header(manifest: Mapping[str, Any]) -> Text:
    sampling = ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in manifest["sampling"].items()
        if value not in (None, "", [], ())
        and value is not False
        and not (key == "fewshot_as" and not manifest["sampling"].get("fewshot"))
    )
    imported = manifest.get("imported")
    source = f"imported from {imported}" if imported else ""
    created = str(manifest["created"])[:10]
    facts = (manifest["model"]["name"], source, manifest["format"], sampling, created)
    return plain(" · ".join(str(fact) for fact in facts if fact))


def _folded(name: str, width: int = NAME) -> str:
    """Give the name of a task in lines that end at a slash, each of `width` where that can be."""
    lines = [""]
    for part in name.replace("/", "/\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _sections(table: Table, entries: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Begin a section for each way of dividing the tasks, and give the entries of each."""
    sections: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name, entry in entries.items():
        sections[entry.get("by", "")][name] = entry
    for by, members in sections.items():
        table.add_section()
        if by:
            table.add_row(plain(f"by {by}"), style="dim")
        yield by, members


def _gaps(groups: Mapping[str, Any], tasks: Mapping[str, Any]) -> RenderableType | None:
    """Give how far entries lie from their baselines, by the first metric; None if none has one."""
    apart = {name: e for name, e in {**groups, **tasks}.items() if "gap" in e}
    metric = next((name for e in apart.values() for name in e["gap"]["metrics"]), None)
    if metric is None:
        return None
    table = _empty(f"{metric} against {common_name(e['gap']['to'] for e in apart.values())}", apart)
    counted = any("prompt_tokens" in entry["gap"] for entry in apart.values())
    tokens = ("tokens",) if counted else ()
    add_numeric(table, "gap", "95% interval", "n", "p", "p (Holm)", *tokens)
    for part in (groups, tasks):
        for _, members in _sections(table, {name: part[name] for name in part if name in apart}):
            for name, entry in members.items():
                if metric in entry["gap"]["metrics"]:
                    numbers = entry["gap"]["metrics"][metric]
                    chances = (chance(numbers["p"]), chance(numbers["p_holm"]))
                    longer = [_longer(entry["gap"].get("prompt_tokens"))] if counted else []
                    table.add_row(label(name), *_numbers(numbers, sign="+"), *chances, *longer)
    return Group(table, Text(), Text(f"{MEANING}\n{LONGER}" if counted else MEANING))


def _longer(tokens: Mapping[str, Any] | None) -> Text:
    """Give by how many tokens prompts are longer, and the part of what they were."""
    if tokens is None or tokens["value"] is None:
        return Text()
    return Text(f"{tokens['value']:+.1f} ({tokens['value'] / tokens['baseline']:+.0%})")


def chance(p: float | None) -> Text:
    """Give a p-value as it is shown."""
    return Text("" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}")


def label(name: str) -> Text:
    """Give the name of a task or group, broken at its slashes."""
    return Text("\n").join(plain(line) for line in _folded(name).split("\n"))


def _add_rows(table: Table, name: str, entry: Mapping[str, Any], *, short: bool) -> None:
    cells = [label(name)]
    if "tasks" in entry:
        cells.append(Text(str(entry["tasks"])))
    answers = _answers(entry)
    if short:
        answers.no_wrap = True
    for metric, numbers in (_merged(entry["metrics"]) or {"": {}}).items():
        table.add_row(*cells, plain(metric), *_numbers(numbers), answers)
        cells, answers = [Text() for _ in cells], Text()


def _numbers(numbers: Mapping[str, Any], sign: str = "") -> tuple[Text, ...]:
    """Give value, interval and n as they are shown; none of them where there is no metric."""
    if not numbers:
        return Text(), Text(), Text()
    value, *ends = (numbers[key] for key in ("value", "low", "high"))
    interval = " to ".join("?" if end is None else f"{end:{sign}.3f}" for end in ends)
    shown = Text("none", "bold red") if value is None else Text(f"{value:{sign}.3f}", "bold")
    return shown, Text(interval), Text(str(numbers["n"]))


def _answers(entry: Mapping[str, Any]) -> Text:
    """Give the samples without a score in red, then what happened, the most frequent first."""
    verdicts, rates = entry["verdicts"], entry["rates"]
    total = max(sum(verdicts.values()), 1)
    shares = {_words(verdict): verdicts.get(verdict, 0) / total for verdict in SHOWN}
    parts = [
        Text(f"{name} {_percent(share)}")
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
        if share
    ]
    if entry["unscored"]:
        parts.insert(0, Text(f"{entry['unscored']} unscored", "bold red"))
    asides = [f"{name} {_percent(rates[key])}" for key, name in RATES.items() if rates[key]]
    if asides:
        parts.append(Text(f"({', '.join(asides)})", "dim"))
    return Text(" · ").join(parts)


def _words(name: str) -> str:
    return name.removesuffix("_error").replace("_", " ")


def _percent(rate: float) -> str:
    """Give a share in whole percent; one that is not quite none or all never reads 0% or 100%."""
    if 0 < rate < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= rate < 1 else f"{rate:.0%}"


def plain(text: str) -> Text:
    """Give text as it is: no markup, and nothing that a terminal would obey."""
    return Text("".join(char if char.isprintable() else "\ufffd" for char in text))


def escaped(text: str) -> str:
    r"""Give text as Markdown shows it, on one line: neither Markdown nor HTML in it is obeyed.

    >>> escaped("a_b <i>")
    'a\\_b &lt;i&gt;'
    """
    shown = escape(plain(" ".join(text.split())).plain, quote=False)
    return re.sub(r"[\\`*_\[\]|~#@$!]", r"\\\g<0>", shown)
