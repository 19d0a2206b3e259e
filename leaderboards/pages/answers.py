"""What a run answered, for the page: pieces of its records, read by their places in its files."""

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.harness import Request, Resources, Response, Verdict
from bench.harness.cells import cells_of
from bench.harness.errors import BenchError, InfrastructureError
from bench.harness.judging import judgement_key
from bench.harness.plan import Job, digest
from bench.harness.records import parse_response
from bench.harness.runner import score_once
from bench.harness.store import JUDGEMENTS, RESPONSES, SCORES, parsed, read_records
from bench.leaderboards.pages.packing import cut, encoded, listed, number, put_zipped
from bench.leaderboards.pages.questions import Way, planned, turns
from bench.leaderboards.runs import Run, open_run, primary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LETTERS = {verdict: chr(ord("a") + at) for at, verdict in enumerate(Verdict)}
ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some samples of a task, one after another, as one run answered them."""

    run: int
    task: int
    number: int
    first: int
    """position of the first sample"""
    size: int
    rows: "NDArray[np.int64]"
    """a row for each draw: sample's position, score's place and length, response's place (-1: there
    is none) and length"""


@dataclass(frozen=True, slots=True)
class Marks:
    """What an index says of samples that follow one another."""

    run: int
    task: int
    letters: str
    values: "array[float]"
    """by the metric that ranks; NaN: none"""
    groups: Sequence[str]


def write_answers(
    data: Path, folder: Path, name: str, way: Way, pieces: Sequence[Piece]
) -> list[Marks]:
    """Write pieces of one task of a run; give what indices say of them."""
    run = opened(folder)
    judged = Judged(run, way) if run.tasks[name].judged else None
    marks = []
    with ExitStack() as stack:
        files = [stack.enter_context(file.open("rb")) for file in _files(folder)]
        for piece in pieces:
            records = list(_records(piece, *(file.fileno() for file in files)))
            key = f"answers/{piece.run}/{piece.task}/{piece.number}"
            put_zipped(data, key, listed(_answers(piece, records, judged)))
            marks.append(_marks(piece, run, name, records))
    return marks


@cache
def opened(folder: Path) -> Run:
    """Open a run once in a process."""
    return open_run(folder)


def _files(folder: Path) -> list[Path]:
    """Give the files of scores and responses; what is imported may lack them."""
    files = folder / SCORES, folder / RESPONSES
    return [file if file.exists() else Path(os.devnull) for file in files]


def _records(
    piece: Piece, scores: int, responses: int
) -> Iterator[tuple[int, dict[str, Any], dict[str, Any]]]:
    """Yield position, score and response ({}: there is none) of each draw."""
    for position, place, length, other, size in piece.rows.tolist():
        response = parsed(os.pread(responses, size, other)) if other >= 0 else {}
        yield position, parsed(os.pread(scores, length, place)), response


def _answers(
    piece: Piece,
    records: Sequence[tuple[int, dict[str, Any], dict[str, Any]]],
    judged: "Judged | None",
) -> list[bytes]:
    """Give the draws of each sample as JSON."""
    samples: list[list[dict[str, Any]]] = [[] for _ in range(piece.size)]
    for position, score, response in records:
        said = judged.said(score, response) if judged and response else []
        samples[position - piece.first].append(answer(score, response, said))
    return [encoded(draws) for draws in samples]


def answer(
    score: Mapping[str, Any], response: Mapping[str, Any], judge: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Give what a page shows of one answer; without a response, why there is none."""
    detail = str(score.get("detail") or "")
    return {
        "text": cut("".join(response.get("texts") or ())),
        "thinking": cut(response.get("thinking") or ""),
        "finish": score["finish_reason"],
        "verdict": score["verdict"],
        "values": {name: number(value) for name, value in score["values"].items()},
        "extracted": cut(str(score.get("extracted") or "")),
        "detail": cut(detail),
        "logprobs": [
            [number(one["sum"]), one["tokens"], one["greedy"]]
            for one in response.get("logprobs") or ()
        ],
        "reward": number(response.get("reward")),
        "judge": judge,
        "tokens": [response.get("prompt_tokens", 0), response.get("completion_tokens", 0)],
        "error": "" if response else cut(detail),
    }


def _marks(
    piece: Piece,
    run: Run,
    name: str,
    records: Sequence[tuple[int, dict[str, Any], dict[str, Any]]],
) -> Marks:
    """Give verdict, value and group of each sample, as the run's own summary has them."""
    task, draws = run.tasks[name], int(run.manifest["sampling"].get("n") or 1)
    cell = cells_of([task], (score for _, score, _ in records), draws)[name]
    column = cell.columns.get(primary(task), [None] * len(cell.samples))
    letters, values = [ABSENT] * piece.size, array("d", [nan]) * piece.size
    groups = [""] * piece.size
    values_by_id = dict(zip(cell.samples, column, strict=True))
    for position, score, _ in reversed(records):  # the first draw comes last
        at = position - piece.first
        value = values_by_id[score["sample"]]
        letters[at], groups[at] = LETTERS[Verdict(score["verdict"])], score["group"]
        values[at] = nan if value is None else value
    return Marks(piece.run, piece.task, "".join(letters), values, groups)


class Judged:
    """Finds what a judge said to an answer: it is scored again, by the replies that were kept."""

    gives_rewards: bool

    def __init__(self, run: Run, way: Way) -> None:
        judge: Mapping[str, Any] = run.manifest.get("judge") or {}
        self.gives_rewards = judge.get("gives") == "rewards"
        self._identity = digest(dict(judge))
        self._said: list[dict[str, str]] = []
        try:
            self._jobs = {(job.sample.id, job.draw): job for job in planned(way).jobs()}
            file = run.folder / JUDGEMENTS
            self._replies = {record["key"]: record for record in read_records(file)}
        except BenchError:  # the data, the task or the replies are not at hand
            self._jobs = dict[tuple[str, int], Job]()

    def said(self, score: Mapping[str, Any], response: Mapping[str, Any]) -> list[dict[str, str]]:
        """Give what the judge was asked of an answer, and its words."""
        job = self._jobs.get((score["sample"], score["draw"]))
        if job is None:
            return []
        self._said = []
        with suppress(BenchError):
            score_once(job, parse_response(response), Resources(judge=self))
        return self._said

    def ask(self, request: Request) -> Response:
        """Give the reply that was kept.

        Raises:
            InfrastructureError: there is none.

        """
        record = self._replies.get(judgement_key(self._identity, request))
        if record is None:
            raise InfrastructureError("no such judgement")
        reply = parse_response(record)
        text = reply.text if reply.reward is None else f"{reply.reward:.6g}"
        asked = "\n\n".join(text for _, text in turns(request))
        self._said.append({"prompt": cut(asked), "text": cut(text)})
        return reply

    def close(self) -> None:
        """Do nothing: nobody is asked."""
