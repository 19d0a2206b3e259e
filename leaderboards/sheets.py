"""A board as a few tables of text, in Markdown or LaTeX."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.harness import Verdict
from bench.harness.usage import dollars
from bench.leaderboards.board import Board
from bench.leaderboards.table import FEW, escaped, plain

MEANING = (
    "Values with their 95% interval. #: rank, 1 + the number of runs that are surely better by a "
    "paired test on the same samples (Holm over all pairs); runs of one rank cannot be told apart."
)
APART = "apart"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: a title, the names of its columns, rows of cells, and what to say below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def sheets(board: Board) -> list[Sheet]:
    """Give the tables that have rows: results, their parts, what stands apart, verdicts, runs."""
    parts = [at for at, one in enumerate(board.entries) if at not in board.main]
    tasks = [at for at in parts if board.entries[at].kind == "task"]
    few = parts if len(tasks) <= FEW else [at for at in parts if at not in tasks]
    hidden = f"{len(tasks):,} tasks are not shown one by one." if len(few) < len(parts) else ""
    found = [
        _results(board),
        Sheet("Parts", ["", *(run.name for run in board.runs)], list(_parts(board, few)), hidden),
        Sheet("Apart", ["entry", "run", "value", "why it stands apart"], list(_apart(board))),
        Sheet("How answers ended", ["entry", "run", "verdicts"], list(_verdicts(board))),
        Sheet("Runs", RUN_COLUMNS, [_run(board, at) for at in range(len(board.runs))]),
    ]
    return [one for one in found if one.rows or one.note]


def _results(board: Board) -> Sheet:
    order = sorted(range(len(board.runs)), key=lambda run: _order(board, run))
    return Sheet(
        "Results",
        ["run", *(_head(board, at) for at in board.main)],
        [[board.runs[run].name, *(_cell(board, at, run) for at in board.main)] for run in order],
        MEANING,
    )


def _order(board: Board, run: int) -> list[tuple[bool, int, float]]:
    """Sort by rank and value in the first benchmark, then in the next ones."""
    keys = []
    for at in board.main:
        numbers = _numbers(board, at, run)
        value = numbers.get("value")
        sign = 1 if board.entries[at].first in board.entries[at].lower_is_better else -1
        shown = value is not None and run in board.classes[at][0].runs
        rank = board.ranks.get(at, {}).get(run, len(board.runs))
        keys.append((not shown, rank, sign * (value or 0.0)))
    return keys


def _numbers(board: Board, at: int, run: int) -> Mapping[str, Any]:
    said = board.results[run].get(at) or {"metrics": {}}
    found: Mapping[str, Any] = said["metrics"].get(board.entries[at].first) or {}
    return found


def _head(board: Board, at: int) -> str:
    entry = board.entries[at]
    metric = entry.first
    less = ", less is better" if metric in entry.lower_is_better else ""
    return f"{entry.name} ({metric}{less})"


def _cell(board: Board, at: int, run: int) -> str:
    if at not in board.results[run]:
        return ""
    if run not in board.classes[at][0].runs:
        return APART
    rank = board.ranks.get(at, {}).get(run)
    return _value(_numbers(board, at, run)) + (f" #{rank}" if rank else "")


def _value(numbers: Mapping[str, Any]) -> str:
    if not numbers:
        return ""
    low, high = ("?" if numbers[end] is None else f"{numbers[end]:.3f}" for end in ("low", "high"))
    value = "none" if numbers["value"] is None else f"{numbers['value']:.3f}"
    return f"{value} [{low}, {high}] n={numbers['n']}"


def _parts(board: Board, entries: Sequence[int]) -> Iterator[list[str]]:
    for at in entries:
        yield [_head(board, at), *(_cell(board, at, run) for run in range(len(board.runs)))]


def _apart(board: Board) -> Iterator[list[str]]:
    for at, classes in board.classes.items():
        for one in classes[1:]:
            for run in one.runs:
                value = _value(_numbers(board, at, run))
                yield [_head(board, at), board.runs[run].name, value, one.why]


def _verdicts(board: Board) -> Iterator[list[str]]:
    for at in board.main:
        for run, results in enumerate(board.results):
            counts = (results.get(at) or {}).get("verdicts") or {}
            total = sum(counts.values())
            said = [
                f"{one.value.replace('_', ' ')} {100 * counts[one.value] / total:.1f}%"
                for one in Verdict
                if counts.get(one.value)
            ]
            if said:
                yield [board.entries[at].name, board.runs[run].name, ", ".join(said)]


RUN_COLUMNS = (
    "run",
    "model",
    "asked",
    "sampling",
    "date",
    "tokens read",
    "tokens written",
    "cost",
    "made with",
)


def _run(board: Board, at: int) -> list[str]:
    run = board.runs[at]
    model, used = run.manifest["model"], run.summary.get("usage") or {}
    sampling = ", ".join(
        f"{key} {value}"
        for key, value in run.manifest["sampling"].items()
        if value not in (None, "", [], False)
    )
    versions = run.manifest.get("libraries") or {}
    made = f"bench {versions.get('bench-harness') or ''}".strip()
    made = f"imported from {run.manifest['imported']}" if run.imported else made
    tokens = [used.get(key) for key in ("prompt_tokens", "completion_tokens")]
    return [
        run.name,
        " ".join(str(model[key]) for key in ("name", "revision") if model.get(key)),
        str(run.manifest.get("format") or "unknown"),
        sampling,
        str(run.manifest.get("created") or "")[:10],
        *("" if number is None else f"{number:,}" for number in tokens),
        dollars(used["cost"]) if used.get("cost") is not None else "",
        made,
    ]


def as_markdown(found: Sequence[Sheet], title: str) -> str:
    """Give tables as Markdown, in which names are nothing but text."""
    parts = [f"# {escaped(title)}"]
    for one in found:
        lines = [one.columns, ["---"] * len(one.columns), *one.rows]
        table = [
            "| " + " | ".join(cell if row is lines[1] else escaped(cell) for cell in row) + " |"
            for row in lines
        ]
        parts += [f"## {one.title}", "\n".join(table), *([escaped(one.note)] if one.note else [])]
    return "\n\n".join(parts) + "\n"


def as_latex(found: Sequence[Sheet], title: str) -> str:
    """Give tables as LaTeX for the packages booktabs and longtable, in which names are text."""
    import pandas as pd  # heavy

    parts = [f"% {plain(title).plain}"]
    for one in found:
        rows = [[plain(cell).plain for cell in row] for row in one.rows]
        table = pd.DataFrame(rows, columns=[plain(name).plain for name in one.columns])
        text = table.to_latex(index=False, escape=True, longtable=True, caption=one.title)
        parts += [text, one.note.replace("#", r"\#").replace("%", r"\%")]
    return "\n".join(parts)
