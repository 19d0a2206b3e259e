"""A board as files for other programs and for papers: CSV, Parquet, JSON, Markdown, LaTeX, YAML."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.harness import Verdict
from bench.leaderboards.board import Board, Class
from bench.leaderboards.model_card import cards
from bench.leaderboards.runs import Run
from bench.leaderboards.sheets import as_latex, as_markdown, sheets

if TYPE_CHECKING:
    from pandas import DataFrame

NAMES = {
    "markdown": "leaderboard.md",
    "latex": "leaderboard.tex",
    "csv": "leaderboard.csv",
    "parquet": "leaderboard.parquet",
    "json": "leaderboard.json",
    "model-card": "model-card-{number}.yaml",
}
"""by format; of model cards there is one a run, which the other files' order of runs numbers"""


def is_table(name: str) -> bool:
    """Tell whether a file is called as one that `write` makes."""
    return any(fnmatchcase(name, one.format(number="*")) for one in NAMES.values())


def write(board: Board, form: str, out: Path, title: str) -> None:
    """Write a board into a folder in one of the formats of NAMES."""
    if form == "model-card":
        for number, text in enumerate(cards(board), 1):
            _write_text(out / NAMES[form].format(number=number), text)
        return
    file = out / NAMES[form]
    if form == "parquet":
        draft = file.with_name(f"{file.name}.new")
        frame(board).to_parquet(draft, index=False)
        draft.replace(file)
        return
    made: dict[str, Callable[[], str]] = {
        "markdown": lambda: as_markdown(sheets(board), title),
        "latex": lambda: as_latex(sheets(board), title),
        "csv": lambda: frame(board).to_csv(index=False),
        "json": lambda: json.dumps(as_json(board, title), indent=1, allow_nan=False) + "\n",
    }
    _write_text(file, made[form]())


def _write_text(file: Path, text: str) -> None:
    draft = file.with_name(f"{file.name}.new")
    draft.write_text(text, encoding="utf-8", errors="replace")
    draft.replace(file)


def frame(board: Board) -> "DataFrame":
    """Give a row for each run, entry and metric.

    `class` numbers the runs of an entry that may be compared, from 1, the largest class; `apart`
    says why others are not in it. `rank` is of the metric that ranks, within a class.
    """
    import pandas as pd  # heavy

    found = pd.DataFrame(rows(board))
    whole = ["rank", "n", "prompt_tokens", "completion_tokens"]  # empty where there is none
    return found.astype(dict.fromkeys(whole, "Int64"))


def rows(board: Board) -> Iterator[dict[str, Any]]:
    """Yield a row for each run, entry and metric, as plain values."""
    described = [about(run) for run in board.runs]
    for at, entry in enumerate(board.entries):
        for number, one in enumerate(board.classes[at], 1):
            for run in one.runs:
                said = board.results[run][at]
                for metric, numbers in said["metrics"].items():
                    yield {
                        "run": board.runs[run].name,
                        "entry": entry.name,
                        "kind": entry.kind,
                        "by": entry.by,
                        "metric": metric,
                        **{key: numbers.get(key) for key in ("value", "low", "high", "n")},
                        "lower_is_better": metric in entry.lower_is_better,
                        "rank": _rank(board, at, run, metric),
                        "class": number,
                        "apart": one.why,
                        "unscored": said.get("unscored", 0),
                        **shares(said),
                        **described[run],
                    }


def _rank(board: Board, entry: int, run: int, metric: str) -> int | None:
    ranks = metric == board.entries[entry].first
    return board.ranks.get(entry, {}).get(run) if ranks else None


def shares(said: Mapping[str, Any]) -> dict[str, float]:
    """Give the share of each verdict among the answers, by its name."""
    counts: Mapping[str, int] = said.get("verdicts") or {}
    total = max(sum(counts.values()), 1)
    return {f"share_{one.value}": counts.get(one.value, 0) / total for one in Verdict}


def about(run: Run) -> dict[str, Any]:
    """Give what stands beside all numbers of a run."""
    used = run.summary.get("usage") or {}
    sampling = run.manifest["sampling"]
    return {
        "model": run.manifest["model"].get("name"),
        "revision": run.manifest["model"].get("revision"),
        "form": run.manifest.get("format"),
        "imported": run.manifest.get("imported"),
        "created": run.manifest.get("created"),
        "bench": (run.manifest.get("libraries") or {}).get("bench-harness"),
        **{
            f"sampling_{key}": sampling.get(key)
            for key in ("n", "temperature", "max_tokens", "limit")
        },
        **{key: used.get(key) for key in ("prompt_tokens", "completion_tokens", "cost")},
    }


def as_json(board: Board, title: str) -> dict[str, Any]:
    """Give a board as plain JSON."""
    return {
        "title": title,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "bench": version("bench-harness"),
        "runs": [
            {
                "name": run.name,
                "folder": str(run.folder),
                **{
                    key: run.manifest.get(key)
                    for key in ("imported", "model", "format", "sampling", "created", "libraries")
                },
                "usage": run.summary.get("usage"),
            }
            for run in board.runs
        ],
        "main": [board.entries[at].name for at in board.main],
        "entries": [_entry(board, at) for at in range(len(board.entries))],
    }


def _entry(board: Board, at: int) -> dict[str, Any]:
    entry = board.entries[at]
    return {
        "name": entry.name,
        "kind": entry.kind,
        "by": entry.by,
        "about": entry.about,
        "version": entry.version,
        "tasks": list(entry.tasks),
        "metrics": list(entry.metrics),
        "lower_is_better": sorted(entry.lower_is_better),
        "classes": [_class(board, at, one) for one in board.classes[at]],
    }


def _class(board: Board, at: int, one: Class) -> dict[str, Any]:
    return {
        "apart": one.why,
        "runs": {
            board.runs[run].name: {
                "rank": board.ranks.get(at, {}).get(run),
                **{
                    key: board.results[run][at].get(key)
                    for key in ("metrics", "verdicts", "rates", "unscored", "gap")
                },
            }
            for run in one.runs
        },
    }
