"""Baselines: what a gate needs of a run in one small file, and the samples known to be flaky."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from bench.harness import store
from bench.harness.errors import BenchError
from bench.leaderboards.runs import Run, open_run, primary

FLAKY = "flaky.json"
KEPT = ("key", "task", "sample", "draw", "group", "verdict", "values", "finish_reason", "empty")
"""of a score: what is compared, and nothing that a model wrote"""


def write_baseline(folders: Sequence[Path], out: Path) -> dict[str, list[str]]:
    """Write the first run as a baseline file, and give the samples on which the others differ.

    Raises:
        BenchError: one of them is no finished run, they are not one model on the same tasks, or
            the file cannot be written.

    """
    runs = [open_run(folder) for folder in folders]
    for run in runs[1:]:
        _check_repeats(runs[0], run)
    found = flaky(runs)
    try:
        with ZipFile(out, "w", ZIP_DEFLATED) as file:
            for name, content in ((store.MANIFEST, runs[0].manifest), (FLAKY, found)):
                file.writestr(name, json.dumps(content, ensure_ascii=False, indent=1))
            file.writestr(store.SUMMARY, json.dumps(runs[0].summary, ensure_ascii=False))
            with file.open(store.SCORES, "w") as scores:
                for record in store.read_records(runs[0].folder / store.SCORES):
                    kept = {key: record[key] for key in KEPT if key in record}
                    scores.write(json.dumps(kept).encode() + b"\n")
    except OSError as problem:
        raise BenchError(f"--out {out}: {problem.strerror}.") from problem
    return found


def flaky(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Give the samples by task on which repeated runs differ in the first metric of the task."""
    found: dict[str, list[str]] = {}
    columns = [_columns(run) for run in runs]
    for task, first in columns[0].items():
        others = [column.get(task, {}) for column in columns[1:]]
        differ = [
            sample
            for sample, value in first.items()
            if any(sample in other and other[sample] != value for other in others)
        ]
        if differ:
            found[task] = differ
    return found


def _columns(run: Run) -> dict[str, dict[str, Any]]:
    cells = run.cells()
    return {
        name: dict(zip(cell.samples, cell.columns[metric], strict=True))
        for name, cell in cells.items()
        for metric in [primary(run.tasks[name])]
        if metric in cell.columns
    }


def _check_repeats(first: Run, other: Run) -> None:
    ours, theirs = _asked(first), _asked(other)
    for what in ours:
        if ours[what] != theirs[what]:
            raise BenchError(
                f"{other.folder}: no repetition of {first.folder}, for its {what} is another. "
                "Repeat the run with another --out, with --no-cache or another --seed."
            )


def _asked(run: Run) -> dict[str, Any]:
    """Give what is the same in repetitions of a run."""
    tasks: Mapping[str, Any] = run.manifest["tasks"]
    return {
        "model": run.manifest["model"],
        "form": run.manifest.get("format"),
        "tasks": {n: (one.get("version"), one.get("prompts")) for n, one in tasks.items()},
    }


@contextmanager
def open_baseline(path: Path) -> Iterator[tuple[Run, dict[str, list[str]]]]:
    """Open the folder of a run, a baseline file, or a folder that holds just one of the two.

    The last is what a CI system unpacks of an artifact.

    Raises:
        BenchError: there is none, there are several, or it is damaged.

    """
    found = _found(path)
    if found.is_dir():
        yield open_run(found), {}
        return
    with tempfile.TemporaryDirectory(prefix="bench-baseline-") as folder:
        _unpack(found, Path(folder))
        yield open_run(Path(folder)), store.read_json(Path(folder) / FLAKY)


def _found(path: Path) -> Path:
    if not path.exists():
        raise BenchError(
            f"{path}: no such file or folder. Name a run, or what bench baseline wrote."
        )
    if path.is_file() or (path / store.MANIFEST).exists():
        return path
    inside = [*path.rglob("*.zip"), *(file.parent for file in path.rglob(store.MANIFEST))]
    if len(inside) != 1:
        there = "several runs or baselines" if inside else "no run and no baseline"
        raise BenchError(f"{path}: holds {there}. Name the one that is meant.")
    return inside[0]


def _unpack(file: Path, folder: Path) -> None:
    try:
        with ZipFile(file) as packed:
            for name in (store.MANIFEST, store.SUMMARY, store.SCORES, FLAKY):
                (folder / name).write_bytes(packed.read(name))
    except (BadZipFile, KeyError, OSError) as problem:
        raise BenchError(
            f"{file}: no baseline, or a damaged one. bench baseline writes it."
        ) from problem
