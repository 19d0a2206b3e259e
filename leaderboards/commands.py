"""Commands that read finished runs."""

import json as json_format
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.harness import Task, registry, store, usage
from bench.harness.errors import BenchError
from bench.harness.stats import pass_at


def check_finished(run: Path) -> None:
    """Refuse a folder that holds no finished run."""
    if not run.is_dir():
        raise BenchError(f"{run}: no such folder. Name the folder of a run.")
    if not (run / store.MANIFEST).exists():
        raise BenchError(f"{run}: not a run, for it has no {store.MANIFEST}.")
    if not (run / store.SUMMARY).exists():
        raise BenchError(f"{run}: not finished. The command that began this run goes on with it.")


def asked(k: str) -> list[int]:
    """Give the numbers that --k lists, each once and from the smallest on."""
    try:
        ks = sorted({int(part) for part in k.split(",")})
    except ValueError:
        ks = [0]
    if ks[0] < 1:
        raise BenchError(f"--k {k!r}: not numbers from 1 on, with commas between.")
    return ks


def passing(run: Path, ks: Sequence[int]) -> dict[str, Any]:
    """Give the summary of a finished run with pass@k for these k instead of the usual ones.

    Raises:
        BenchError: the run drew fewer answers, none of its tasks has pass@k, or one is unknown.

    """
    from bench.harness.summary import summarize  # numpy and scipy with it

    written = store.read_json(run / store.MANIFEST)
    n = int(written["sampling"]["n"])
    if ks[-1] > n:
        raise BenchError(f"--k {ks[-1]}: {run} has {n} answers a sample, and pass@k needs k.")
    known = registry.recorded(written["tasks"])
    if not any("pass@1" in known[name].metrics for name in written["tasks"]):
        raise BenchError(f"--k: no task of {run} has pass@k. Leave --k out.")
    tasks = [measured(known[name], ks) for name in written["tasks"]]
    with store.Store(run) as records:
        return summarize(tasks, records.scores, n, records.responses)


def measured(task: Task, ks: Sequence[int]) -> Task:
    """Give a task with pass@k for these k, where it has pass@1; its other metrics stay."""
    if "pass@1" not in task.metrics:
        return task
    chances = {f"pass@{k}": replace(pass_at(k), of=task.metrics["pass@1"].of) for k in ks}
    others = {name: m for name, m in task.metrics.items() if not name.startswith("pass@")}
    return replace(task, metrics=chances | others)


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    every: Annotated[
        bool, typer.Option("--all", help="Show every task, however many there are.")
    ] = False,
    k: Annotated[
        str | None,
        typer.Option("--k", metavar="K[,K]", help="pass@k for these k, up to the answers drawn."),
    ] = None,
    tokens_of: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Divide probes by how many of its tokens a word has."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON instead.")
    ] = False,
) -> None:
    """Print the table of a finished run."""
    check_finished(run)
    summary = store.read_json(run / store.SUMMARY)
    if k is not None:
        summary |= passing(run, asked(k))
    if tokens_of is not None:
        from bench.leaderboards.tokens import by_tokens

        summary |= by_tokens(run, tokens_of)
    if json:
        typer.echo(json_format.dumps(summary))
        return
    from rich.console import Console  # only here: every command loads this module

    from bench.leaderboards.table import render

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 100)  # a log has no edge to keep to
    console.print(render(summary, store.read_json(run / store.MANIFEST), every=every))
    if "usage" in summary:
        console.print(f"\n{usage.spoken(summary['usage'])}", highlight=False)
