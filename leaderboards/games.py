"""Runs whose answers were judged beside those of other runs: which system stood against which.

A system is a model together with how it was asked. One that is asked in two ways is two systems,
which then bear the names of their folders besides.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.harness.cells import Cell
from bench.harness.core import Estimate
from bench.harness.errors import BenchError
from bench.harness.ranking import Game, Standing, connected, rank
from bench.harness.stats import estimate
from bench.leaderboards.comparability import FREE, files, judge_name
from bench.leaderboards.runs import Run

COLUMNS = ("win_rate", "win", "tie", "lose", "first_place", "unread")
TURNED = {"win": "lose", "lose": "win"}


@dataclass(frozen=True, slots=True)
class Pair:
    """What a judge said of the answers of two systems, sample by sample, as `one` sees it."""

    one: str
    other: str
    samples: Sequence[str]
    documents: Sequence[str]
    """what intervals resample"""
    columns: Mapping[str, Sequence[float | None]]

    def estimate(self, name: str) -> Estimate:
        """Give the mean of a column over the samples."""
        return estimate(self.columns[name], self.documents, low=0.0, high=1.0)

    @property
    def scored(self) -> int:
        """How many samples the judge decided."""
        return sum(won is not None for won in self.columns["win_rate"])

    def games(self) -> Iterator[Game]:
        """Yield the samples that the judge decided."""
        for document, won in zip(self.documents, self.columns["win_rate"], strict=True):
            if won is not None:
                yield Game(document, self.one, self.other, won)

    def turned(self) -> "Pair":
        """Give the same as the other system sees it."""
        columns = {name: self.columns[TURNED.get(name, name)] for name in COLUMNS}
        columns["win_rate"] = [won if won is None else 1 - won for won in columns["win_rate"]]
        return Pair(self.other, self.one, self.samples, self.documents, columns)


@dataclass(frozen=True)
class League:
    """A task, and the pairs of systems whose answers to it were judged, each pair once."""

    task: str
    judge: Mapping[str, Any]
    pairs: Sequence[Pair]

    @cached_property
    def standings(self) -> list[Standing]:
        """The systems in order, the strongest first.

        Raises:
            BenchError: no chain of games joins two of them.

        """
        games = [game for pair in self.pairs for game in pair.games()]
        parts = connected(games, [name for pair in self.pairs for name in (pair.one, pair.other)])
        if len(parts) > 1:
            raise BenchError(self._disconnected(parts))
        return rank(games)

    def _disconnected(self, parts: Sequence[Sequence[str]]) -> str:
        apart = " and ".join(", ".join(part) for part in parts)
        unread = sum(len(pair.samples) for pair in self.pairs if not pair.scored)
        mend = (
            f"{unread:,} pairs of answers between them were judged, and none could be scored; take "
            "another judge."
            if unread
            else f"Judge answers of the ones beside the others' (versus/RUN/{self.task})."
        )
        return f"{self.task}: no chain of games joins {apart}. {mend}"

    def between(self, one: str, other: str) -> Pair | None:
        """Give what was said of two systems as the first of them sees it."""
        for pair in self.pairs:
            if (pair.one, pair.other) == (one, other):
                return pair
            if (pair.other, pair.one) == (one, other):
                return pair.turned()
        return None

    def estimate(self, name: str) -> Estimate:
        """Give the mean of a column over the samples of all pairs."""
        values = [value for pair in self.pairs for value in pair.columns[name]]
        documents = [document for pair in self.pairs for document in pair.documents]
        return estimate(values, documents, low=0.0, high=1.0)


def leagues(runs: Sequence[Run]) -> list[League]:
    """Give a league for each task on which runs were judged beside others.

    Raises:
        BenchError: a run was not, or stood beside itself, or two were judged by different judges or
            on different data.

    """
    for run in runs:
        _check(runs[0], run)
    names = _names(runs)
    found: defaultdict[str, defaultdict[tuple[str, str], list[Pair]]]
    found = defaultdict(lambda: defaultdict(list))
    for run in runs:
        cells = run.cells()
        for name, opponent in run.manifest["opponents"].items():
            one, other = names[system(run.manifest)], names[system(opponent)]
            if one == other:
                raise BenchError(
                    f"{run.folder}: {one} stands against itself in {name}. A ranking needs answers "
                    "of different systems."
                )
            pair = _pair(one, other, cells[name], name, opponent["task"])
            pair = pair if one < other else pair.turned()
            found[opponent["task"]][pair.one, pair.other].append(pair)
    judge: Mapping[str, Any] = runs[0].manifest.get("judge") or {}
    return [
        League(task, judge, [_joined(parts) for parts in pairs.values()])
        for task, pairs in found.items()
    ]


def _check(first: Run, run: Run) -> None:
    """Refuse a run that has no games, or whose games are not of the same kind as the first's."""
    if not run.manifest.get("opponents"):
        raise BenchError(
            f"{run.folder}: no answers in it were judged beside another run's. Run versus/RUN/TASK "
            "with its model and --judge."
        )
    judges = [judge_name(each.manifest.get("judge")) for each in (first, run)]
    if judges[0] != judges[1]:
        raise BenchError(
            f"{run.folder}: judged by {judges[1]}, and {first.folder} by {judges[0]}. Rank runs of "
            "one judge."
        )
    versions = [_versions(each) for each in (first, run)]
    for task in versions[0].keys() & versions[1].keys():
        ours, theirs = (each[task] for each in versions)
        differing = [] if ours == theirs else [f"version {theirs} and {ours}"]
        differing += files(first.manifest.get("data") or {}, run.manifest.get("data") or {}, task)
        if differing:
            raise BenchError(
                f"{run.folder}: not the same {task} as in {first.folder} ({differing[0]})."
            )


def _versions(run: Run) -> dict[str, Any]:
    """Give the version of each task on which a run was judged beside others."""
    return {
        opponent["task"]: run.manifest["tasks"][name].get("version")
        for name, opponent in run.manifest["opponents"].items()
    }


def _names(runs: Sequence[Run]) -> dict[str, str]:
    """Give each system the name of its model, with a folder where several have that name."""
    parties = [
        each
        for run in runs
        for each in (
            {**run.manifest, "folder": str(run.folder)},
            *run.manifest["opponents"].values(),
        )
    ]
    places: dict[str, Path] = {}
    models: dict[str, str] = {}
    for party in parties:
        models[system(party)] = str(party["model"].get("name") or Path(party["folder"]).name)
        places.setdefault(system(party), Path(party["folder"]))
    named = Counter(models.values())
    short = {
        system: name if named[name] == 1 else f"{name} ({places[system].resolve().name})"
        for system, name in models.items()
    }
    again = Counter(short.values())
    return {
        system: name if again[name] == 1 else f"{models[system]} ({places[system]})"
        for system, name in short.items()
    }


def system(party: Mapping[str, Any]) -> str:
    """Give what tells a system from others, of a manifest or an opponent in one."""
    sampling = {
        name: value
        for name, value in party.get("sampling", {}).items()
        if name not in FREE and name != "n"  # the other side of a pair is always the first draw
    }
    return json.dumps([party["model"], party.get("format"), sampling], sort_keys=True)


def _pair(one: str, other: str, cell: Cell, name: str, task: str) -> Pair:
    """Give what a run was told about its answers; documents are those of the task itself."""
    documents = [
        f"{task}\n{sample}" if key == f"{name}\n{sample}" else key
        for sample, key in zip(cell.samples, cell.keys, strict=True)
    ]
    return Pair(one, other, cell.samples, documents, {of: cell.columns[of] for of in COLUMNS})


def _joined(pairs: Sequence[Pair]) -> Pair:
    """Join what was said of two systems in several runs: each sample counts once, by its mean."""
    if len(pairs) == 1:
        return pairs[0]
    rows: defaultdict[tuple[str, str], list[tuple[float | None, ...]]] = defaultdict(list)
    for pair in pairs:
        columns = zip(*(pair.columns[name] for name in COLUMNS), strict=True)
        for key, row in zip(zip(pair.samples, pair.documents, strict=True), columns, strict=True):
            rows[key].append(row)
    means = [[_mean(values) for values in zip(*said, strict=True)] for said in rows.values()]
    columns_of = dict(zip(COLUMNS, map(list, zip(*means, strict=True)), strict=True))
    samples, documents = zip(*rows, strict=True)
    return Pair(pairs[0].one, pairs[0].other, samples, documents, columns_of)


def _mean(values: Sequence[float | None]) -> float | None:
    """Give the mean of those that are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
