"""`bench gate` and `bench baseline`: fail a build on a real regression, and only then."""

import json as json_format
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.harness.errors import BenchError

Policy = Annotated[
    Path | None, typer.Option("--policy", help="TOML file: thresholds, what to ignore.")
]


def gate(  # noqa: PLR0917 - Typer makes each of them a flag
    baseline: Annotated[Path, typer.Option(help="Run, baseline file, or a CI artifact's folder.")],
    candidate: Annotated[Path, typer.Option(help="Folder of the run to let through or not.")],
    min_drop: Annotated[
        float | None, typer.Option(help="Largest drop that passes, as a share. Default: 0.02.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="How often a gate may fail by chance. Default: 0.05.")
    ] = None,
    policy: Policy = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write a summary for a pull request here.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Exit 0 if nothing got worse, 1 on a regression, 3 if that cannot be told."""
    from bench.leaderboards.gates import report
    from bench.leaderboards.gates.baseline import open_baseline
    from bench.leaderboards.gates.policy import read_policy
    from bench.leaderboards.gates.ruling import judge
    from bench.leaderboards.runs import open_run

    rules = read_policy(policy, {"min_drop": min_drop, "alpha": alpha})
    with open_baseline(baseline) as (base, flaky):
        ruling = judge(base, open_run(candidate), rules, flaky)
    if junit is not None:
        _write("--junit", junit, report.junit(ruling))
    if markdown is not None:
        _write("--markdown", markdown, report.markdown(ruling))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stderr.write("".join(f"{line}\n" for line in report.annotations(ruling)))
    if json:
        typer.echo(json_format.dumps(report.as_json(ruling)))
    else:
        from rich.console import Console

        console = Console(highlight=False, markup=False)
        if not console.is_terminal:
            console.width = max(console.width, 120)
        console.print(report.heading(ruling))
        console.print(report.table(ruling))
        for line in [*report.findings(ruling), *report.remarks(ruling)]:
            console.print(f"\n{report.clean(line)}")
    raise typer.Exit(ruling.exit_code)


def baseline(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="A run, and repetitions of it.")
    ],
    out: Annotated[Path, typer.Option(help="File to write, .zip.")],
) -> None:
    """Write what a gate needs of a run; samples on which repetitions differ are quarantined."""
    from bench.leaderboards.gates.baseline import write_baseline

    if out.suffix != ".zip":
        raise BenchError(f"--out {out}: a baseline is a .zip file. Name it so.")
    flaky = write_baseline(runs, out)
    count = sum(map(len, flaky.values()))
    said = (
        f"{count:,} flaky samples in it" if len(runs) > 1 else "no repetitions to find flaky ones"
    )
    typer.echo(f"{out}: {runs[0]} ({said}).")


def _write(flag: str, file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise BenchError(f"{flag} {file}: {problem.strerror}.") from problem
