"""The leaderboard as a folder of static files: a page, what it shows at once, and what on demand.

The page itself is in the folder `page` beside this file.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.harness import Verdict, store
from bench.harness.errors import BenchError, Unfinished
from bench.leaderboards.board import Board, Entry
from bench.leaderboards.formats import is_table
from bench.leaderboards.games import system
from bench.leaderboards.pages.drilldown import write_samples
from bench.leaderboards.pages.packing import put, short
from bench.leaderboards.pages.pairs import Column, write_pairs
from bench.leaderboards.runs import Run

FORMAT = 1
WORKERS = 2
LARGE = 20_000_000
"""bytes of records from which on other processes help; they take seconds to start"""
TEMPLATE = "index.html"
TOGETHER = 10
"""pairs that one job compares"""


def write_page(board: Board, out: Path, title: str, data_dir: Path | None = None) -> None:
    """Write the page of a board into a folder, which it replaces as a whole if it is a page.

    Prompts are rendered anew from the data in `data_dir`, or where the runs had it.

    Raises:
        BenchError: the folder holds other things, or a run is damaged or being written.
        Unfinished: it could not be written.

    """
    check_place(out)
    for run in board.runs:
        _check_idle(run)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            _build(board, draft, title, data_dir)
            _replace(out, draft / "page")
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as problem:
        where = problem.filename or out
        raise Unfinished(
            f"--out {out}: {problem.strerror} ({where}). Mend that, then build it again."
        ) from problem
    except BrokenProcessPool as problem:
        raise Unfinished(f"--out {out}: a process was killed, as for want of memory.") from problem


def check_place(out: Path) -> None:
    """Refuse a folder that holds anything but a page.

    Raises:
        BenchError: it does, or is a file.

    """
    ours = {file.name for file in _static()} | {"data"}
    try:
        there = {file.name for file in out.iterdir()} if out.exists() else set[str]()
        there = {name for name in there if not is_table(name)}
    except OSError as problem:
        raise BenchError(f"--out {out}: {problem.strerror}. Name a folder.") from problem
    foreign = sorted(there - ours) or sorted(there if TEMPLATE not in there else ())
    if foreign:
        raise BenchError(
            f"--out {out}: holds other things than a page ({foreign[0]}). Name an empty folder."
        )


def _check_idle(run: Run) -> None:
    """Refuse a run that a process is writing to."""
    guard = os.open(run.folder, os.O_RDONLY)
    try:
        fcntl.flock(guard, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        raise BenchError(
            f"{run.folder}: a bench process is writing to it. Wait for it."
        ) from problem
    finally:
        os.close(guard)


def _replace(out: Path, page: Path) -> None:
    """Put a finished page in the place of what is there."""
    page.chmod(0o755)
    if out.exists():
        out.rename(page.with_name("old"))
    page.rename(out)


def _build(board: Board, draft: Path, title: str, data_dir: Path | None) -> None:
    page, scratch = draft / "page", draft / "scratch"
    (page / "data").mkdir(parents=True)
    scratch.mkdir()
    tasks = [one.name for one in board.entries if one.kind == "task"]
    data = page / "data"
    with _workers(board.runs) as pool:
        sizes, columns = write_samples(data, scratch, board.runs, tasks, pool, data_dir=data_dir)
        pairs = _pairs(board, data, columns, pool)
    content = described(board, title) | {"samples": sizes, "pairs": pairs}
    put(data, "board", content)
    _write_static(page, content)


def _pairs(
    board: Board, data: Path, columns: Mapping[str, Column], pool: Executor
) -> list[tuple[int, int]]:
    """Write the comparisons of all pairs of runs; give those that could be compared."""
    entries = _positions(board.entries)
    folders = [run.folder for run in board.runs]
    every = list(combinations(range(len(folders)), 2))
    jobs = [
        pool.submit(write_pairs, data, folders, columns, entries, every[at : at + TOGETHER])
        for at in range(0, len(every), TOGETHER)
    ]
    return [pair for job in jobs for pair in job.result()]


def _positions(entries: Sequence[Entry]) -> dict[str, int]:
    """Give the place of each entry by its name; of a task and a group of one name the task's."""
    return {one.name: place for place, one in reversed(list(enumerate(entries)))}


@contextmanager
def _workers(runs: Sequence[Run]) -> Iterator[Executor]:
    """Give processes where there is much to do; what they have begun is given up on an error."""
    names = store.SCORES, store.RESPONSES
    there = [run.folder / name for run in runs for name in names]
    if sum(file.stat().st_size for file in there if file.exists()) < LARGE:
        yield Here()
        return
    # Not forked: this process has threads of numpy's.
    pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


class Here(Executor):
    """Does at once what it is asked, in this process."""

    def submit(self, job: Any, /, *arguments: Any, **named: Any) -> "Future[Any]":
        """Do a job; its future is settled."""
        future: Future[Any] = Future()
        try:
            future.set_result(job(*arguments, **named))
        except Exception as problem:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(problem)
        return future


def described(board: Board, title: str) -> dict[str, Any]:
    """Give what a page shows at once, but for samples and pairs."""
    at, against = _positions(board.entries), _against(board.runs)
    return {
        "format": FORMAT,
        "title": title,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "bench": version("bench-harness"),
        "verdicts": [verdict.value for verdict in Verdict],
        "runs": [_run(run) for run in board.runs],
        "entries": [_entry(one, at, against) for one in board.entries],
        "results": [
            {str(entry): _result(said) for entry, said in results.items()}
            for results in board.results
        ],
        "classes": {
            str(entry): [{"runs": list(one.runs), "why": one.why} for one in classes]
            for entry, classes in board.classes.items()
        },
        "ranks": {
            str(entry): {str(run): rank for run, rank in ranks.items()}
            for entry, ranks in board.ranks.items()
        },
        "main": list(board.main),
    }


def _run(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    imported = manifest.get("imported")
    usage: Mapping[str, Any] | None = run.summary.get("usage")
    return {
        "name": run.name,
        "model": manifest["model"],
        "form": "imported" if run.imported else manifest.get("format", ""),
        "sampling": manifest["sampling"],
        "created": manifest.get("created", ""),
        "imported": str(imported or ""),
        "usage": usage
        and {key: usage.get(key) for key in ("prompt_tokens", "completion_tokens", "cost")},
        "versions": manifest.get("libraries") or {},
        "hardware": manifest.get("hardware") or {},
        "folder": run.folder.resolve().name,
        "draws": int(manifest["sampling"].get("n") or 1),
    }


def _against(runs: Sequence[Run]) -> dict[str, dict[str, str]]:
    """Give whose answers stood beside a run's, and on which task, by the task that compared them.

    A run that is on the page goes by the name that it has there.
    """
    names = {system(run.manifest): run.name for run in runs}
    return {
        task: {
            "opponent": names.get(system(one)) or str(one["model"].get("name") or one["folder"]),
            "task": one["task"],
        }
        for run in runs
        for task, one in run.manifest.get("opponents", {}).items()
    }


def _entry(
    one: Entry, at: Mapping[str, int], against: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    first = one.metrics[0] if one.metrics else ""
    return {
        "name": one.name,
        "kind": one.kind,
        "by": one.by,
        "metrics": list(one.metrics),
        "lower": sorted(one.lower_is_better),
        "unit": "share" if first in one.shares else "number",
        "about": one.about,
        "tasks": [at[task] for task in one.tasks],
        "version": one.version,
        "baseline": at.get(one.baseline),
        "against": against.get(one.name),
    }


def _result(said: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a summary says of an entry, with arrays for numbers."""
    found = {
        "m": {
            metric: [short(numbers.get(part)) for part in ("value", "low", "high", "n")]
            for metric, numbers in said["metrics"].items()
        },
        "v": said.get("verdicts") or {},
        "r": {name: short(rate) for name, rate in (said.get("rates") or {}).items()},
        "u": said.get("unscored", 0),
    }
    gap = said.get("gap")
    if gap:
        parts = "value", "low", "high", "n", "p", "p_holm"
        found["gap"] = {
            "to": gap["to"],
            "m": {
                metric: [short(numbers.get(part)) for part in parts]
                for metric, numbers in gap["metrics"].items()
            },
        }
    return found


def _static() -> Iterator[Traversable]:
    """Yield the files that are the same for all pages, the template among them."""
    return files("bench.leaderboards.pages").joinpath("static").iterdir()


def _write_static(page: Path, content: Mapping[str, Any]) -> None:
    """Write what is the same for all pages, and the head with a table for readers of no scripts."""
    import json

    from jinja2 import Environment

    for file in _static():
        text = file.read_text(encoding="utf-8")
        if file.name == TEMPLATE:
            template = Environment(autoescape=True).from_string(text)
            text = template.render(board=json.loads(json.dumps(content)))
        (page / file.name).write_text(text, encoding="utf-8", errors="replace")
