"""`bench leaderboard`: several runs side by side, as a page and as tables."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.harness.errors import BenchError, Unfinished


class Form(StrEnum):
    """What a board can be written as."""

    HTML = "html"
    MARKDOWN = "markdown"
    LATEX = "latex"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    MODEL_CARD = "model-card"


def leaderboard(  # noqa: PLR0917 - Typer makes each of them a flag
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    form: Annotated[
        list[Form] | None,
        typer.Option("--format", help="What to write; may be given several times. Default: html."),
    ] = None,
    title: Annotated[str, typer.Option(help="What stands above it.")] = "Leaderboard",
    task: Annotated[
        str, typer.Option("--task", metavar="GLOB[,GLOB]", help="Only these tasks.")
    ] = "*",
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the data of benchmarks is, to show prompts."),
    ] = None,
) -> None:
    """Put finished runs side by side: a page of static files, or tables for other programs."""
    from bench.harness import registry
    from bench.leaderboards.board import board  # numpy and scipy with it
    from bench.leaderboards.formats import NAMES, write
    from bench.leaderboards.pages.writing import check_place, write_page
    from bench.leaderboards.runs import open_runs

    forms = list(dict.fromkeys(form or [Form.HTML]))
    if Form.HTML in forms:
        check_place(out)  # before the work
    globs = [glob.strip().rstrip("/") for glob in task.split(",") if glob.strip()]
    found = board(open_runs(runs), lambda one: any(registry.matches(one, glob) for glob in globs))
    if not found.entries:
        raise BenchError(f"--task {task!r}: no task of these runs. `bench show RUN` names them.")
    if Form.HTML in forms:
        write_page(found, out, title, data_dir)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for one in forms:
            if one in NAMES:
                write(found, one, out, title)
    except OSError as problem:
        raise Unfinished(
            f"--out {out}: {problem.strerror or problem}. Mend that, then do it again."
        ) from (problem)
    typer.echo(f"{out / 'index.html' if 'html' in forms else out}")
