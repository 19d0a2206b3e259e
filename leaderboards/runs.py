"""Finished runs as boards, comparisons and gates read them; nothing here writes to their folders.

A run need not be readable in the way of today: its tasks may be uninstalled, or their metrics may
have changed since. What was stored is then read with plain means of the stored values.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.harness import Metric, Task, registry, store
from bench.harness.cells import Cell, cells_of
from bench.harness.errors import BenchError
from bench.harness.groups import Group, groups_of
from bench.harness.stats import mean_of, pass_at
from bench.leaderboards.commands import check_finished


@dataclass(frozen=True)
class Run:
    """A finished run; `name` tells it from the others that are read with it."""

    folder: Path
    name: str
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]

    @cached_property
    def installed(self) -> dict[str, Task]:
        """The tasks that are installed in the version which was run, by name."""
        versions = {name: one.get("version") for name, one in self.manifest["tasks"].items()}
        found = _installed({name: version for name, version in versions.items() if version})
        return {name: task for name, task in found.items() if task.version == versions[name]}

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """The tasks by name, as installed where that is the version which was run."""
        return {
            name: self.installed.get(name)
            or _unknown(name, entry, self.summary["tasks"].get(name, {}))
            for name, entry in self.manifest["tasks"].items()
        }

    @cached_property
    def groups(self) -> dict[str, Group]:
        """The groups of these tasks."""
        return groups_of(list(self.tasks.values()))

    @property
    def imported(self) -> bool:
        """Whether another program made these numbers."""
        return "imported" in self.manifest

    def cells(self) -> dict[str, Cell]:
        """Give the scores of each task as columns. They are read anew each time."""
        n = int(self.manifest["sampling"].get("n") or 1)
        scores = store.read_records(self.folder / store.SCORES)
        return cells_of(list(self.tasks.values()), scores, n)


def open_run(folder: Path, name: str = "") -> Run:
    """Open a finished run, called by its model if it gets no name.

    Raises:
        BenchError: it is no run, not finished, or damaged.

    """
    check_finished(folder)
    manifest, summary = (store.read_json(folder / f) for f in (store.MANIFEST, store.SUMMARY))
    for file, content, keys in (
        (store.MANIFEST, manifest, ("model", "tasks", "sampling")),
        (store.SUMMARY, summary, ("tasks", "groups")),
    ):
        missing = [key for key in keys if not isinstance(content.get(key), dict)]
        if missing:
            raise BenchError(f"{folder / file}: damaged, for it has no {missing[0]!r}.")
    return Run(folder, name or str(manifest["model"].get("name") or folder.name), manifest, summary)


def open_runs(folders: Sequence[Path]) -> list[Run]:
    """Open runs under names of their own: those of one model carry their folder's name as well.

    Raises:
        BenchError: one of them is no finished run, or is named twice.

    """
    places = Counter(folder.resolve() for folder in folders)
    twice = [folder for folder in folders if places[folder.resolve()] > 1]
    if twice:
        raise BenchError(f"{twice[0]}: named twice.")
    runs = [open_run(folder) for folder in folders]
    names = Counter(run.name for run in runs)
    renamed = [
        run.name if names[run.name] == 1 else f"{run.name} ({run.folder.resolve().name})"
        for run in runs
    ]
    again = Counter(renamed)
    return [
        replace(run, name=name if again[name] == 1 else f"{run.name} ({run.folder})")
        for run, name in zip(runs, renamed, strict=True)
    ]


def primary(task: Task) -> str:
    """Give the metric by which a task ranks models: the first that it names."""
    return next(iter(task.metrics))


def _installed(names: Mapping[str, Any]) -> dict[str, Task]:
    try:
        return registry.named(names)
    except BenchError:  # a family whose file or library is gone
        return registry.named(n for n in names if n.partition("/")[0] not in registry.families())


def _unknown(name: str, written: Mapping[str, Any], entry: Mapping[str, Any]) -> Task:
    """Stand in for a task that is not installed: its metrics are means of what was stored."""

    def never(*_: Any) -> Any:
        raise BenchError(f"The task {name!r} is not installed here. Install its package.")

    lower = set(entry.get("lower_is_better", ()))
    metrics = {
        metric: replace(_stored(metric, entry), lower_is_better=metric in lower)
        for metric in entry.get("metrics", {})
        if metric not in entry.get("reported", ())  # no samples have it
    }
    version = int(written.get("version") or 0)
    return Task(name, version, never, never, never, metrics, judged=True)  # as far as we know


def _stored(name: str, entry: Mapping[str, Any]) -> Metric:
    """Give the mean of the stored values that bear a metric's name; pass@k is known by its name."""
    kind, _, k = name.partition("@")
    if kind == "pass" and k.isdecimal() and int(k):
        return pass_at(int(k))
    low, high = entry.get("bounds", {}).get(name, (0.0, 1.0))
    return mean_of(name, low, high)
