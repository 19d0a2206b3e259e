"""`bench compare`: one run against another, sample by sample."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.harness import Verdict
from bench.harness.errors import BenchError

if TYPE_CHECKING:
    from bench.leaderboards.comparison import Comparison, Difference
    from bench.leaderboards.runs import Run


def compare(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="Folder of a finished run.")],
    candidate: Annotated[Path, typer.Argument(metavar="CANDIDATE", help="That of another.")],
    every: Annotated[
        bool, typer.Option("--all", help="Show every task, metric and sample that differs.")
    ] = False,
    metric: Annotated[
        str | None, typer.Option(help="Compare this metric. Default: the first of each task.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the comparison as JSON instead.")
    ] = False,
) -> None:
    """Compare two runs on the samples that both have."""
    from bench.leaderboards import comparison  # numpy and scipy with it
    from bench.leaderboards.runs import open_runs
    from bench.leaderboards.sentences import sentences

    runs = open_runs([base, candidate])
    found = comparison.compare(runs[0], runs[1])
    known = dict.fromkeys(name for one in found.tasks.values() for name in one)
    if metric is not None and metric not in known:
        raise BenchError(f"--metric {metric!r}: these runs share {', '.join(known)}.")
    said = [*sentences(found, metric), *_failures(runs, found)]
    if json:
        typer.echo(json_format.dumps(as_json(runs, found, said, metric), allow_nan=False))
        return
    from rich.console import Console

    from bench.leaderboards.differences import render
    from bench.leaderboards.table import plain

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 110)  # a log has no edge to keep to
    for role, run in zip(("base", "candidate"), runs, strict=True):
        console.print(plain(f"{role}: {_described(run)}"))
    console.print()
    console.print(render(found, metric, every=every))
    for sentence in said:
        console.print()
        console.print(plain(sentence))


def as_json(
    runs: "list[Run]", found: "Comparison", said: list[str], metric: str | None
) -> dict[str, Any]:
    """Give a comparison as plain JSON, with every sample that flipped."""

    def metrics(differences: "dict[str, Difference]") -> dict[str, Any]:
        return {name: _numbers(one) for name, one in differences.items() if metric in {None, name}}

    roles = {
        role: {"name": run.name, "folder": str(run.folder), "imported": run.imported}
        for role, run in zip(("base", "candidate"), runs, strict=True)
    }
    return {
        **roles,
        "sentences": said,
        "wholes": found.wholes,
        "tasks": {name: {"metrics": metrics(one)} for name, one in found.tasks.items()},
        "groups": {
            name: {
                "by": next(iter(one.values())).by,
                "tasks": list(next(iter(one.values())).tasks),
                "metrics": metrics(one),
            }
            for name, one in found.groups.items()
        },
        "left_out": found.left_out,
    }


def _numbers(one: "Difference") -> dict[str, Any]:
    numbers = {
        "base": one.base,
        "candidate": one.candidate,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "p": one.p,
        "exact": one.exact,
        "p_holm": one.p_holm,
        "tested": one.tested,
        "detectable": one.detectable,
        "lower_is_better": one.lower_is_better,
        "verdict": one.verdict(),
        "unscored": one.unscored,
        "unpaired": one.unpaired,
    }
    samples = {"won": one.won, "lost": one.lost, "missing": one.missing}
    return numbers if one.tasks else numbers | {name: list(ids) for name, ids in samples.items()}


def _failures(runs: "list[Run]", found: "Comparison") -> list[str]:
    """Name the runs in which answers failed on our side, and say what to do."""
    said = []
    for run in runs:
        counts = {
            name: run.summary["tasks"][name]["verdicts"].get(Verdict.INFRASTRUCTURE_ERROR, 0)
            for name in found.tasks
        }
        failed = {name: count for name, count in counts.items() if count}
        if failed:
            named = ", ".join(f"{name} {count}" for name, count in list(failed.items())[:3])
            more = "" if len(failed) <= 3 else f" and {len(failed) - 3} tasks more"
            said.append(
                f"{run.name} has {sum(failed.values()):,} infrastructure errors ({named}{more}). "
                "The command that made it, given again, does these samples anew."
            )
    return said


def _described(run: "Run") -> str:
    source = f" · imported from {run.manifest['imported']}" if run.imported else ""
    created = str(run.manifest.get("created", ""))[:10]
    return f"{run.name} · {run.folder} · {created}{source}"
