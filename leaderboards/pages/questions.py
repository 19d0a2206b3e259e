"""What the samples of a task asked, for the page: rendered anew, since a run keeps only hashes.

Each way in which runs asked a task is rendered once, into a file of JSON lines, and shown only if
its hash is the one that the runs have written down.
"""

import hashlib
import os
from array import array
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.harness import (
    Chat,
    Data,
    Generate,
    LogLikelihood,
    Request,
    Reward,
    RollingLogLikelihood,
    Sample,
    Task,
    Text,
    registry,
)
from bench.harness.errors import BenchError
from bench.harness.plan import Plan, Settings
from bench.harness.prompting import asker
from bench.harness.store import SCORES, read_records
from bench.leaderboards.pages.packing import cut, encoded, listed, put_zipped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which runs asked a task."""

    task: str
    version: int
    prompts: str
    """the hash that the runs have written down; empty where they have not"""
    settings: Mapping[str, Any]
    data_dir: Path | None
    runs: Sequence[int] = ()
    given: Path | None = None
    """a run that tells which samples were answered, where the answers existed already"""
    foreign: str = ""
    """what says that another program asked"""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Where the questions of one way are in its file; `why` says why they are not there."""

    ids: Sequence[str] = ()
    places: "array[int]" = field(default_factory=lambda: array("q"))
    """of each, and where the last one ends"""
    why: str = ""


@cache
def installed(name: str, version: int) -> Task:
    """Give a task as a run had it.

    Raises:
        BenchError: it is not installed, or in another version.

    """
    known, families = _installed()
    made = name.partition("/")[0] in families
    task = (registry.recorded([name]) if made else known).get(name)
    if task is None:
        raise BenchError("the task is not installed here")
    if task.version != version:
        raise BenchError(f"version {version} was run, and version {task.version} is installed.")
    return task


@cache
def _installed() -> tuple[Mapping[str, Task], Container[str]]:
    """Give all tasks and families; to find them takes as long as to render a small task."""
    return registry.tasks(), registry.families()


def planned(way: Way) -> Plan:
    """Plan the task anew, as the runs asked it. Nothing is fetched.

    Raises:
        BenchError: the task is not here as it was, or nobody knows how it was asked.

    """
    if way.foreign:
        raise BenchError(f"imported from {way.foreign}.")
    if not way.prompts:
        raise BenchError("the run has not written down what it asked.")
    task = installed(way.task, way.version)
    try:
        settings = Settings(**way.settings)
    except TypeError as problem:
        raise BenchError(f"their settings are unknown here ({problem}).") from problem
    draws = None
    if way.given:
        records = read_records(way.given / SCORES)
        draws = {(record["task"], record["sample"]): [0] for record in records}
    return Plan([task], Data(way.data_dir, fetch=False), settings, "", draws)


def render(way: Way, file: Path) -> Rendered:
    """Write the questions of a way to a file, a JSON line each."""
    try:
        found = _render(planned(way), way, file)
    except OSError:
        raise
    except BenchError as problem:
        return Rendered(why=str(problem).rstrip("."))
    except Exception as problem:  # noqa: BLE001 - a task is code of others
        return Rendered(why=f"{type(problem).__name__}: {problem}")
    return found


def _render(plan: Plan, way: Way, file: Path) -> Rendered:
    digest, ids, places = hashlib.sha256(), list[str](), array("q", [0])
    asks = asker(plan.tasks[0], plan.settings, plan.data)
    with file.open("wb") as lines:
        for sample in plan.samples(plan.tasks[0]):
            request = asks.ask(sample)
            digest.update(repr((sample.id, request)).encode("utf-8", "surrogatepass"))
            ids.append(sample.id)
            places.append(places[-1] + lines.write(encoded(question(sample, request)) + b"\n"))
    if digest.hexdigest() != way.prompts:
        return Rendered(why="what the task and its data ask here is not what the run asked")
    return Rendered(ids, places)


@dataclass(frozen=True, slots=True)
class Shown:
    """Some samples of a task, one after another, and where their questions are."""

    task: int
    number: int
    """of the first piece"""
    piece: int
    """samples in a piece"""
    ids: Sequence[str]
    places: "NDArray[np.int64]"
    """by way and sample: place and length in the way's file, -1 where it has not asked that one"""
    files: Sequence[Path]
    """of each way"""
    runs: Sequence[Sequence[int]]
    """that asked in each way"""
    why: str
    """why questions are missing, where they are"""


def write_questions(data: Path, shown: Shown) -> None:
    """Write what samples asked, a file for each piece."""
    with ExitStack() as stack:
        files = [stack.enter_context(file.open("rb")).fileno() for file in shown.files]
        for begin in range(0, len(shown.ids), shown.piece):
            here = range(begin, min(begin + shown.piece, len(shown.ids)))
            key = f"samples/{shown.task}/{shown.number + begin // shown.piece}"
            put_zipped(data, key, listed([_asked(shown, files, at) for at in here]))


def _asked(shown: Shown, files: Sequence[int], at: int) -> bytes:
    """Give the question of a sample as JSON, and beside it those of runs that asked otherwise."""
    lines = [
        (runs, os.pread(file, int(length) - 1, int(place)))
        for runs, file, (place, length) in zip(
            shown.runs, files, shown.places[:, at].tolist(), strict=True
        )
        if place >= 0
    ]
    if not lines:
        none = {"prompt": None, "choices": list[str](), "target": "", "why": shown.why}
        return encoded({"id": shown.ids[at], **none})
    (_, main), *others = lines
    different = [
        b'{"runs":%b,%b' % (encoded(runs), line[1:]) for runs, line in others if line != main
    ]
    return main[:-1] + b',"otherwise":' + listed(different) + b"}" if different else main


def question(sample: Sample, request: Request) -> dict[str, Any]:
    """Give what a page shows of a sample before any answer."""
    return {
        "id": sample.id,
        "prompt": [[role, cut(text)] for role, text in turns(request)],
        "choices": [[cut(text) for text in pair] for pair in _weighed(request)],
        "target": cut(sample.target),
    }


def turns(request: Request) -> list[tuple[str, str]]:
    """Give a request as turns of roles and texts; the role of a completion is empty."""
    match request:
        case Generate():
            return [("", readable(request.prompt))]
        case Chat():
            last = [("assistant", request.prefix)] if request.prefix else []
            return [*((turn.role, turn.text) for turn in request.messages), *last]
        case LogLikelihood():
            contexts = dict.fromkeys(readable(context) for context, _ in request.pairs)
            return [("", next(iter(contexts)))] if len(contexts) == 1 else []
        case RollingLogLikelihood():
            return [("", readable(request.text))]
        case Reward():
            return [("user", request.prompt), ("assistant", request.answer)]


def _weighed(request: Request) -> Iterable[tuple[str, str]]:
    if not isinstance(request, LogLikelihood):
        return ()
    return ((readable(context), readable(text)) for context, text in request.pairs)


def readable(text: Text) -> str:
    """Give a text; of token ids, the ids."""
    return text if isinstance(text, str) else f"token ids {' '.join(map(str, text))}"
