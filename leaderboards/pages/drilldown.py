"""All samples of a page: which there are, what was asked and answered, in pieces that load alone.

Here it is planned what is read and written; plain functions on plain values do it, so that other
processes can.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.harness.store import RESPONSES, SCORES
from bench.leaderboards.pages.answers import ABSENT, Marks, Piece, write_answers
from bench.leaderboards.pages.packing import encoded, number, put_zipped
from bench.leaderboards.pages.pairs import Column
from bench.leaderboards.pages.places import Located, joined, locate, ordered
from bench.leaderboards.pages.questions import Rendered, Shown, Way, render, write_questions
from bench.leaderboards.runs import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PIECE = 250
"""samples in one file of questions or answers, where they are not long"""
BYTES = 1_000_000
"""of JSON, that such a file has about at most"""
INDEX = 10_000
"""samples in one file of an index"""
TOGETHER = 16
"""files that one job writes"""


@dataclass(frozen=True, slots=True)
class Asking:
    """A way in which runs asked a task, its questions, and the file that has them."""

    way: Way
    file: Path
    found: Rendered


@dataclass(frozen=True, slots=True)
class Listed:
    """The samples of a task on the page. `task` is its number there."""

    task: int
    name: str
    ids: Sequence[str]
    piece: int
    """samples in a file"""
    asked: Sequence[Asking]


def write_samples(
    data: Path,
    scratch: Path,
    runs: Sequence[Run],
    tasks: Sequence[str],
    pool: Executor,
    *,
    data_dir: Path | None,
) -> tuple[dict[str, dict[str, int]], dict[str, Column]]:
    """Write indices, questions and answers of tasks; give their sizes and the samples' values.

    A task is called by its position in `tasks`. In `data_dir`, or where the runs had it, is the
    data that questions are rendered from.

    Raises:
        BenchError: a run is damaged.

    """
    asking = {
        name: [
            (way, scratch / f"{at}-{i}.jsonl") for i, way in enumerate(ways(name, runs, data_dir))
        ]
        for at, name in enumerate(tasks)
    }
    rendering = {
        name: [pool.submit(render, *asked) for asked in ways] for name, ways in asking.items()
    }
    chosen = [[name for name in run.tasks if name in asking] for run in runs]
    locating = [
        [pool.submit(locate, run.folder / file, names) for file in (SCORES, RESPONSES)]
        for run, names in zip(runs, chosen, strict=True)
    ]
    located = [[part.result() for part in parts] for parts in locating]
    listed = {
        name: _listed(
            at,
            name,
            [
                Asking(*one, job.result())
                for one, job in zip(asking[name], rendering[name], strict=True)
            ],
            [scores.ids[name] for scores, _ in located if name in scores.ids],
            _bytes(name, located),
        )
        for at, name in enumerate(tasks)
    }
    columns = _write(data, runs, listed, located, pool)
    sizes = {
        str(one.task): {"n": len(one.ids), "index": INDEX, "piece": one.piece}
        for one in listed.values()
        if one.ids
    }
    return sizes, columns


def ways(name: str, runs: Sequence[Run], data_dir: Path | None) -> list[Way]:
    """Give the ways in which runs asked a task, the one with the most samples first."""
    ways: dict[tuple[Any, ...], Way] = {}
    sizes: dict[tuple[Any, ...], int] = {}
    for at, run in enumerate(runs):
        if name not in run.tasks:
            continue
        entry, own = run.manifest["tasks"][name], run.manifest.get("data_dir")
        prompts = str(entry.get("prompts") or "")
        key = (entry.get("version"), prompts) if prompts else (at,)
        known = ways.get(key) or Way(
            task=name,
            version=int(entry.get("version") or 0),
            prompts=prompts,
            settings={**run.manifest["sampling"], "chat": run.manifest.get("format") == "chat"},
            data_dir=data_dir or (Path(own) if own else None),
            given=run.folder if "given" in run.manifest else None,
            foreign=str(run.manifest.get("imported") or ""),
        )
        ways[key] = replace(known, runs=(*known.runs, at))
        sizes[key] = int(entry.get("samples") or 0)
    return [ways[key] for key in sorted(ways, key=lambda key: -sizes[key])]


def _bytes(name: str, located: Sequence[Sequence[Located]]) -> float:
    """Give the bytes that one run at most has of a sample, on average."""
    sizes = [0.0]
    for parts in located:
        samples = len(parts[0].ids.get(name, ()))
        if samples:
            task = list(parts[0].ids).index(name)
            size = sum(int(part.rows[part.rows[:, 0] == task, 4].sum()) for part in parts)
            sizes.append(size / samples)
    return max(sizes)


def _listed(
    task: int, name: str, asked: Sequence[Asking], found: Sequence[Sequence[str]], answers: float
) -> Listed:
    ids = ordered([one.found.ids for one in asked], found)
    questions = max(
        (one.found.places[-1] / len(one.found.ids) for one in asked if one.found.ids), default=0
    )
    piece = max(1, min(PIECE, int(BYTES / max(answers, questions, 1))))
    return Listed(task, name, ids, piece, asked)


def _write(
    data: Path,
    runs: Sequence[Run],
    listed: Mapping[str, Listed],
    located: Sequence[Sequence[Located]],
    pool: Executor,
) -> dict[str, Column]:
    """Write the pieces of all tasks, then the indices that come out of them."""
    places = {name: {one: at for at, one in enumerate(task.ids)} for name, task in listed.items()}
    done = [
        pool.submit(write_questions, data, shown)
        for name, task in listed.items()
        for shown in _questions(task, places[name])
    ]
    marking: list[Future[list[Marks]]] = []
    for at, (run, (scores, responses)) in enumerate(zip(runs, located, strict=True)):
        rows, names = joined(scores, responses, places), list(scores.ids)
        for position, name in enumerate(names):
            way = next(one.way for one in listed[name].asked if at in one.way.runs)
            begin, end = rows[:, 0].searchsorted([position, position + 1])
            for pieces in _pieces(at, listed[name], rows[begin:end, 1:]):
                job = data, run.folder, name, way, pieces
                marking.append(pool.submit(write_answers, *job))
    marks = (mark for one in marking for mark in one.result())
    columns = _write_indices(data, listed.values(), marks)
    for one in done:
        one.result()
    return columns


def _questions(task: Listed, places: Mapping[str, int]) -> Iterator[Shown]:
    """Yield the questions of a task, as many as one job writes."""
    import numpy as np

    asked = [one for one in task.asked if one.found.ids]
    table = np.full((len(asked), len(task.ids), 2), -1, np.int64)
    for at, one in enumerate(asked):
        rendered = one.found
        there = [(i, places[name]) for i, name in enumerate(rendered.ids) if name in places]
        if there:
            rows, positions = np.array(there).T
            ends = np.frombuffer(rendered.places, np.int64)
            table[at, positions, 0] = ends[rows]
            table[at, positions, 1] = ends[rows + 1] - ends[rows]
    why = "; ".join(dict.fromkeys(one.found.why for one in task.asked if one.found.why))
    step = task.piece * TOGETHER
    for begin in range(0, len(task.ids), step):
        yield Shown(
            task=task.task,
            number=begin // task.piece,
            piece=task.piece,
            ids=task.ids[begin : begin + step],
            places=table[:, begin : begin + step],
            files=[one.file for one in asked],
            runs=[one.way.runs for one in asked],
            why=why,
        )


def _pieces(run: int, task: Listed, rows: "NDArray[np.int64]") -> Iterator[list[Piece]]:
    """Yield the pieces of a task, as many as one job writes; `rows` as `joined` has them."""
    pieces = []
    for at, first in enumerate(range(0, len(task.ids), task.piece)):
        size = min(task.piece, len(task.ids) - first)
        begin, end = rows[:, 0].searchsorted([first, first + size])
        pieces.append(Piece(run, task.task, at, first, size, rows[begin:end]))
    for begin in range(0, len(pieces), TOGETHER):
        yield pieces[begin : begin + TOGETHER]


def _write_indices(
    data: Path, tasks: Iterable[Listed], marks: Iterable[Marks]
) -> dict[str, Column]:
    """Write which samples there are, with verdicts and values of all runs; give these values."""
    found: defaultdict[int, defaultdict[int, list[Marks]]]
    found = defaultdict(lambda: defaultdict(list))
    for mark in marks:
        found[mark.task][mark.run].append(mark)
    columns, problems = dict[str, Column](), dict[str, int]()
    for task in tasks:
        runs = {run: _whole(parts) for run, parts in sorted(found.pop(task.task, {}).items())}
        groups = [""] * len(task.ids)
        for one in runs.values():
            groups = [known or new for known, new in zip(groups, one.groups, strict=True)]
        for piece, begin in enumerate(range(0, len(task.ids), INDEX)):
            index = _index(task, slice(begin, begin + INDEX), groups, runs)
            put_zipped(data, f"index/{task.task}/{piece}", encoded(index))
        columns[task.name] = _column(task, groups, runs, problems)
    return columns


def _whole(parts: Sequence[Marks]) -> Marks:
    """Join the marks of a run's pieces of one task."""
    values = array("d")
    for one in parts:
        values.extend(one.values)
    return Marks(
        run=parts[0].run,
        task=parts[0].task,
        letters="".join(one.letters for one in parts),
        values=values,
        groups=[group for one in parts for group in one.groups],
    )


def _index(
    task: Listed, here: slice, groups: Sequence[str], runs: Mapping[int, Marks]
) -> dict[str, Any]:
    """Give the index of some samples of a task."""
    shown = {
        run: {"v": one.letters[here], "x": [number(x) for x in one.values[here]]}
        for run, one in runs.items()
    }
    return {"ids": task.ids[here], "groups": groups[here], "runs": shown}


def _column(
    task: Listed, groups: Sequence[str], runs: Mapping[int, Marks], problems: dict[str, int]
) -> Column:
    """Give the values of a task; `problems` numbers the problems of all tasks, and grows."""
    import numpy as np

    keys = (group or f"{task.name}\n{one}" for group, one in zip(groups, task.ids, strict=True))
    numbers = np.array([problems.setdefault(key, len(problems)) for key in keys], np.int64)
    values = {}
    for run, one in runs.items():
        absent = np.array([letter == ABSENT for letter in one.letters], bool)
        values[run] = np.where(absent, np.inf, np.frombuffer(one.values))
    return Column(numbers, values)
