"""`bench import`: numbers that another program made, as a run that boards and comparisons read."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from bench.harness.errors import BenchError

if TYPE_CHECKING:
    from rich.console import Console


def import_(  # noqa: PLR0917 - Typer makes each of them a flag
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="lm-eval's results, or predictions as JSON lines or CSV (id and score or answer).",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run to write.")],
    task: Annotated[str, typer.Option(help="What predictions are of.")] = "",
    model: Annotated[
        str, typer.Option(help="What made predictions. Default: the file's name.")
    ] = "",
    metric: Annotated[
        str, typer.Option(help="What a score is. Default: the task's first metric, else 'score'.")
    ] = "",
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="Of this metric less is better.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the data is, to score answers.")
    ] = None,
) -> None:
    """Import lm-eval's results, or a file of predictions, as a run."""
    from rich.console import Console

    from bench.leaderboards.exchange.lm_eval_results import is_results, results_file

    console = Console(stderr=True, highlight=False)
    file = results_file(source)
    if not file.is_file():
        raise BenchError(f"{source}: no such file.")
    if is_results(file):
        if task or model or metric or lower_is_better:
            raise BenchError(f"{file}: lm-eval's results say their own tasks, model and metrics.")
        _import_results(file, out, console)
    else:
        _import_predictions(
            file, out, task, model, metric, data_dir, console, lower_is_better=lower_is_better
        )
    typer.echo(str(out))


def _import_results(file: Path, out: Path, console: "Console") -> None:
    from bench.leaderboards.exchange.imported import write_run
    from bench.leaderboards.exchange.lm_eval_results import Results

    results = Results(file)
    if not results.tasks:
        raise BenchError(f"{file}: no task with a metric in it.")
    summary = write_run(out, results.source(), results.rows())
    alone = [name for name in results.tasks if not results.means(name)]
    _say(console, f"Imported {len(summary['tasks'])} tasks from lm-eval.")
    if results.groups:
        _say(console, f"Groups are left out: {', '.join(results.groups)}.")
    if alone:
        _say(
            console,
            f"No scores of samples of {', '.join(alone)}: their numbers are not compared.",
        )


def _import_predictions(  # noqa: PLR0917 - what the command was told
    file: Path,
    out: Path,
    task: str,
    model: str,
    metric: str,
    data_dir: Path | None,
    console: "Console",
    *,
    lower_is_better: bool,
) -> None:
    from bench.harness import registry
    from bench.leaderboards.exchange.imported import Source, write_run
    from bench.leaderboards.exchange.predictions import is_scored, scored

    if not task.strip("/ "):
        raise BenchError(f"{file}: say with --task what these predictions are of.")
    installed = registry.named([task]).get(task)
    if not is_scored(file):
        if installed is None:
            raise BenchError(
                f"{file}: answers, and no task is called {task!r} that could score them. "
                "`bench tasks` lists those that there are; or give each row a 'score'."
            )
        _grade(file, out, task, data_dir, console)
        return
    first = next(iter(installed.metrics), "") if installed else ""
    metric = metric or first or "score"
    if metric.startswith("pass@") and metric != "pass@1":
        raise BenchError(f"--metric {metric}: only pass@1 can be computed from single scores.")
    known = installed.metrics.get(metric) if installed else None
    lower = lower_is_better or bool(known and known.lower_is_better)
    source = Source(
        program="predictions",
        model={"name": model or file.stem, "backend": "imported"},
        files=(file,),
        lower_is_better={task: frozenset([metric] if lower else [])},
    )
    summary = write_run(out, source, scored(file, task, metric))
    _say(console, f"Imported {summary['tasks'][task]['metrics'][metric]['n']:,} scores.")


def _grade(file: Path, out: Path, task: str, data_dir: Path | None, console: "Console") -> None:
    """Score answers with a task of ours."""
    from bench.harness.config import Place
    from bench.harness.grading import grade
    from bench.leaderboards.exchange.predictions import as_own_rows

    place = Place(out=out, data_dir=data_dir, workers=None)
    with TemporaryDirectory() as folder:
        rows = Path(folder) / f"{file.stem}.jsonl"
        count = as_own_rows(file, task, rows)
        _say(console, f"{count:,} answers are scored by {task} itself, as `bench grade` does it.")
        grade(task, rows, "jsonl", place, console)


def _say(console: "Console", text: str) -> None:
    from bench.leaderboards.table import plain

    console.print(plain(text), soft_wrap=True)
