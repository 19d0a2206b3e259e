"""`bench export`: the answers of a finished run with their scores, for other programs."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer

from bench.harness import Verdict, registry
from bench.harness.errors import BenchError, Unfinished
from bench.harness.store import FILES, MANIFEST, Store, read_json
from bench.leaderboards.commands import check_finished
from bench.leaderboards.ordering import joined, ordered


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    form: Annotated[
        Literal["jsonl", "parquet", "mxeval", "lm-eval", "inspect"],
        typer.Option("--format", help="jsonl: all that is known; others: see docs/exchange.md."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write, or folder for lm-eval and inspect. Without it, stdout for JSON."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the data is, for the prompts in others' files."),
    ] = None,
) -> None:
    """Write the answers of a finished run with their scores, for other programs."""
    check_finished(run)
    own = {run.resolve(), *(run.resolve() / name for name in FILES)}
    if out is not None and out.resolve() in own:
        raise BenchError(f"--out {out}: belongs to the run itself. Name another file.")
    if form in {"jsonl", "mxeval"}:
        _write_lines(run, form, out)
        return
    if out is None:
        raise BenchError(f"--format {form}: say with --out where to write it.")
    try:
        _write_files(run, form, out, data_dir)
    except OSError as problem:
        raise BenchError(f"--out {out}: {problem.strerror or problem}.") from problem


def _write_lines(run: Path, form: str, out: Path | None) -> None:
    with Store(run) as store:
        keys = ordered(store, read_json(run / MANIFEST))
        rows = joined(store, keys) if form == "jsonl" else mxeval(store, keys)
        if out is None:
            write(rows, sys.stdout)
            return
        try:
            with out.open("w", encoding="utf-8") as file:
                write(rows, file)
        except OSError as problem:
            raise BenchError(f"--out {out}: {problem.strerror or problem}.") from problem


def _write_files(run: Path, form: str, out: Path, data_dir: Path | None) -> None:
    from bench.leaderboards.runs import open_run  # numpy with it

    opened = open_run(run)
    if form == "parquet":
        from bench.leaderboards.loading import samples_of

        samples_of(opened).to_parquet(out, index=False)
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BenchError(f"--out {out}: is not an empty folder. Name another one.")
    if form == "lm-eval":
        from bench.leaderboards.exchange.lm_eval_layout import write_layout

        write_layout(opened, out, data_dir)
    else:
        from bench.leaderboards.exchange.inspect_log import write_logs

        write_logs(opened, out, data_dir)


def write(rows: Iterable[Mapping[str, Any]], file: TextIO) -> None:
    """Write rows as JSON lines."""
    file.writelines(json.dumps(row) + "\n" for row in rows)


def mxeval(store: Store, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Give the rows of mxeval's results file; answers to tasks without programs are left out.

    Raises:
        BenchError: there are no programs, or the format cannot tell two samples apart.
        Unfinished: an answer could not be scored, which the format cannot say.

    """
    languages = {
        name: task.languages[0]
        for name, task in registry.tasks().items()
        if len(task.languages) == 1
    }
    chosen, tasks = list[str](), dict[tuple[str, str], str]()
    for key in keys:
        score = store.scores[key]
        name, sample = score["task"], score["sample"]
        if name not in languages:
            continue
        if score["verdict"] == Verdict.INFRASTRUCTURE_ERROR:
            raise Unfinished(
                f"{store.folder}: {name} {sample} could not be scored. Run its own "
                "command again, or use --format jsonl."
            )
        other = tasks.setdefault((languages[name], sample), name)
        if other != name:
            raise BenchError(
                f"{store.folder}: mxeval's format cannot tell {other} and {name} apart. Use "
                "--format jsonl, or one run for each natural language."
            )
        chosen.append(key)
    if not chosen:
        raise BenchError(f"{store.folder}: no programs to export. Use --format jsonl.")
    return (result(store, key, languages) for key in chosen)


def result(store: Store, key: str, languages: Mapping[str, str]) -> dict[str, Any]:
    """Give one row of mxeval's results file. The time of a program is not kept, so it is null."""
    score = store.scores[key]
    passed = score["verdict"] == Verdict.PASSED
    said = f"failed: {score['verdict']}" + (f": {score['detail']}" if score["detail"] else "")
    if passed:
        said = "passed"
    elif score["verdict"] == Verdict.TIMEOUT:
        said = "timed out"
    return {
        "task_id": score["sample"],
        "language": languages[score["task"]],
        "completion": store.responses[key]["texts"][0],
        "result": said,
        "passed": passed,
        "time_elapsed": None,
    }
