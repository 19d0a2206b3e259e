"""The command line. Plugins add commands through the entry points `bench.commands`."""

import errno
import json
import signal
import sys
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.exceptions import TyperException

from bench.harness import cards, registry
from bench.harness.core import Task
from bench.harness.errors import BenchError, Unfinished

if TYPE_CHECKING:
    from bench.harness.config import RunConfig
    from bench.harness.evaluation import Result

app = typer.Typer(
    name="bench",
    help="Evaluate language models. Start with: bench run --model smollm2 --tasks quickstart",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

INTERRUPTED = 130
OF_THE_COMMAND = {"config", "dry_run", "as_json"}
"""flags of `bench run` that are no part of a configuration"""

DataDir = Annotated[
    Path | None,
    typer.Option(
        envvar="BENCH_DATA_DIR", help="Folder with benchmark data, one subfolder a data set."
    ),
]
SandboxName = Annotated[str | None, typer.Option(help="What runs model-written code: docker.")]
JudgeName = Annotated[str | None, typer.Option(help="The model that judges answers.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be asked, and its cost.")
]
ExecutorName = Annotated[
    str | None, typer.Option(help="ray[:ADDRESS] spreads the work over a Ray cluster.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")
]


@app.command()
def run(  # noqa: PLR0917 - Typer makes each of them a flag
    model: Annotated[
        str | None, typer.Option(help="BACKEND:NAME?option=value, a hub id, a folder, or smollm2.")
    ] = None,
    tasks: Annotated[str | None, typer.Option(help="Task names or globs, by comma.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N samples a task.")] = None,
    shuffle: Annotated[
        bool | None, typer.Option("--shuffle", help="Shuffle before --limit, seeded.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.")] = None,
    data_dir: DataDir = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with these options.")] = None,
    n: Annotated[int | None, typer.Option(help="Answers to draw for each sample.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Nucleus of the distribution.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer, in tokens.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of sampling and of --shuffle.")] = None,
    chat: Annotated[
        bool | None,
        typer.Option("--chat/--no-chat", help="Default: chat, if the model has a template."),
    ] = None,
    system_prompt: Annotated[
        str | None, typer.Option(help="What stands before every conversation.")
    ] = None,
    fewshot: Annotated[
        int | None, typer.Option(help="Examples before each question. Default: the task's.")
    ] = None,
    fewshot_as: Annotated[
        Literal["turns", "text"] | None,
        typer.Option(help="Examples in a chat: turns of their own (default), or text in one."),
    ] = None,
    answer_prefix: Annotated[
        str | None, typer.Option(help="What every answer begins with.")
    ] = None,
    sandbox: SandboxName = None,
    judge: JudgeName = None,
    executor: ExecutorName = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Programs and scorers at a time; with --executor, model replicas."),
    ] = None,
    fresh: Annotated[
        bool | None,
        typer.Option("--fresh", help="Discard the run that the folder holds, not the cache."),
    ] = None,
    cache: Annotated[
        bool | None,
        typer.Option(
            "--cache/--no-cache",
            help="Default: what earlier runs asked of just this model is not asked again.",
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a model. The same command again goes on where it stopped."""
    given = {key: value for key, value in locals().items() if key not in OF_THE_COMMAND}
    from bench.harness.config import read

    (_foretell if dry_run else _evaluate)(read(config, given), as_json=as_json)


def _foretell(config: "RunConfig", *, as_json: bool) -> None:
    from bench.harness.forecast import forecast, table

    found = forecast(config)
    typer.echo(json.dumps(found.content()) if as_json else "\n".join(table(found)))


def _evaluate(config: "RunConfig", *, as_json: bool) -> None:
    from rich.console import Console

    from bench.harness.evaluation import evaluate

    _report(evaluate(config, Console(stderr=True)), as_json=as_json)


@app.command()
def grade(  # noqa: PLR0917 - Typer makes each of them a flag
    tasks: Annotated[str, typer.Option(help="Task names or globs, by comma.")],
    samples: Annotated[Path, typer.Option(help="The answers: JSON lines, or .gz of them.")],
    form: Annotated[
        Literal["mxeval", "jsonl"] | None,
        typer.Option("--format", help="Default: what the first row looks like."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.")] = None,
    data_dir: DataDir = None,
    sandbox: SandboxName = None,
    judge: JudgeName = None,
    executor: ExecutorName = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Programs and scorers at a time.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Discard the run that the folder holds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score answers that exist already. The same command again goes on where it stopped."""
    from rich.console import Console

    from bench.harness import grading
    from bench.harness.config import Place

    place = Place(
        out=out,
        data_dir=data_dir,
        sandbox=sandbox or "docker",
        judge=judge,
        executor=executor,
        workers=workers,
        fresh=fresh,
    )
    result = grading.grade(tasks, samples, form, place, Console(stderr=True))
    _report(result, as_json=as_json)


def _report(result: "Result", *, as_json: bool) -> None:
    """Print what a run came to, and end with the code for answers that are not scored."""
    if as_json:
        content = {"run": str(result.folder), "pace": result.pace, **result.summary}
        typer.echo(json.dumps(content))
    else:
        registry.commands()["show"].load()(result.folder)
        typer.echo(f"\nResults: {result.folder}", err=False)
    if result.unscored:
        raise Unfinished(
            f"{result.unscored:,} answers could not be scored, by no fault of the model (detail in "
            f"{result.folder}/scores.jsonl). The same command tries them again."
        )


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    data_dir: DataDir = None,
    sandbox: SandboxName = None,
    as_json: AsJson = False,
) -> None:
    """Score the stored responses of a run again, without its model, and compare."""
    from bench.harness.verification import verify as compare

    count, differences = compare(folder, data_dir, sandbox or "docker")
    if as_json:
        shown = [{key: getattr(one, key) for key in one.__slots__} for one in differences]
        typer.echo(json.dumps({"run": str(folder), "compared": count, "differences": shown}))
    else:
        for one in differences:
            typer.echo(f"{one.task} {one.sample} draw {one.draw}: {one.stored} → {one.again}")
        if not differences:
            typer.echo(
                f"{folder}: {count:,} answers scored again; all scores and the summary agree."
            )
    if differences:
        raise Unfinished(f"{folder}: {len(differences):,} of {count:,} scores differ.")


@app.command()
def tasks(  # noqa: PLR0917 - Typer makes each of them a flag
    glob: Annotated[str | None, typer.Argument(help="Names or globs, by comma.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Look for the usual mistakes in them.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="With --check: whose context prompts must fit into.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="With --check: only the first N samples a task.")
    ] = None,
    data_dir: DataDir = None,
    sandbox: SandboxName = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks that are installed, with what is known of a benchmark, or check them."""
    chosen = registry.select(glob or "*")
    if check:
        _check_tasks(chosen, data_dir, sandbox or "docker", model, limit, as_json=as_json)
        return
    if as_json:
        typer.echo(json.dumps([_listed(task) for task in chosen]))
        return
    # What families could make cannot be listed, only that they could.
    makers = registry.families().items() if glob in {None, "*"} else ()
    made = [(f"{name}/NAME", registry.about(point)) for name, point in makers]
    if not glob and sys.stdout.isatty():  # programs read every name
        found = [*cards.overview(chosen), *((name, "", about) for name, about in made)]
        typer.echo(cards.rows(found))
        typer.echo("\nbench tasks NAME tells more of one; bench tasks '*' lists all tasks.")
        return
    shown = [*((task.name, task.about) for task in chosen), *made]
    width = max(len(name) for name, _ in shown)
    for name, about in shown:
        typer.echo(f"{name:{width}}  {about}")
    card = cards.shared(chosen)
    if card:
        typer.echo(f"\n{cards.text(card)}")


def _listed(task: Task) -> dict[str, Any]:
    card = asdict(task.card) if task.card else None
    return {"name": task.name, "version": task.version, "about": task.about, "card": card}


def _check_tasks(
    chosen: list[Task],
    data_dir: Path | None,
    sandbox: str,
    model: str | None,
    limit: int | None,
    *,
    as_json: bool,
) -> None:
    """Print what is wrong with tasks; fail if anything is."""
    from bench.harness.checking import check

    findings = []
    for finding in check(chosen, data_dir, sandbox, model, limit):
        findings.append(finding)
        if not as_json:
            typer.echo(finding)
    if as_json:
        typer.echo(json.dumps({"checked": len(chosen), "findings": list(map(asdict, findings))}))
    elif not findings:
        typer.echo(f"{len(chosen):,} tasks checked: nothing found.")
    if findings:
        faulty = len({finding.task for finding in findings})
        raise BenchError(f"Findings: {len(findings):,}, in {faulty:,} of {len(chosen):,} tasks.")


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the model backends and the short names of the catalogue."""
    from bench.harness.models.names import known

    rows = known()
    if as_json:
        typer.echo(json.dumps([{"name": name, "about": about} for name, about in rows]))
        return
    width = max(len(name) for name, _ in rows)
    for name, about in rows:
        typer.echo(f"{name:{width}}  {about}")


def _add_plugins() -> None:
    """Add the commands of installed packages; one that is broken does not break the others."""
    for name, point in registry.commands().items():
        try:
            command = point.load()
        except Exception as problem:  # noqa: BLE001 - a plugin may raise anything
            typer.echo(f"bench: the command {name!r} ({point.value}) fails: {problem}", err=True)
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code; every error is one line."""
    # A polite kill is an interrupt: containers are removed and files closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    _add_plugins()
    try:
        code = app(arguments or sys.argv[1:] or ["--help"], standalone_mode=False)
    except BenchError as problem:
        return _fail(str(problem), problem.exit_code)
    except TyperException as problem:
        return _fail(problem.format_message(), 2)
    except Exception as problem:  # noqa: BLE001 - the last line of defence
        return _fail(_full(problem) or _defect(problem), 3)
    if code == INTERRUPTED:  # Typer turns Ctrl-C into this code
        return _fail("interrupted; what was done is kept, and the same command goes on.", code)
    return int(code or 0)


def _fail(text: str, code: int) -> int:
    line = " ".join(text.split())
    typer.echo(f"bench: {line}", err=True)
    return code


def _full(problem: Exception) -> str:
    """Say that there is no room, if that is the problem: nothing can be written about it either."""
    if not isinstance(problem, OSError) or problem.errno not in {errno.ENOSPC, errno.EDQUOT}:
        return ""
    place = problem.filename or "what was being written, a file or the standard output"
    return f"{place}: {problem.strerror}. Make room, then run the same command again."


def _defect(problem: Exception) -> str:
    """Keep the traceback of an error that should not happen, and say where."""
    with tempfile.NamedTemporaryFile("w", prefix="bench-", suffix=".log", delete=False) as file:
        file.write("".join(traceback.format_exception(problem)))
    said: Any = str(problem).splitlines()
    return (
        f"internal error: {type(problem).__name__}: {said[0] if said else ''} (what was done is "
        f"kept; please report {file.name})"
    )
