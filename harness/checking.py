"""`bench tasks --check`: the usual mistakes of a benchmark, found before a model is asked.

* its samples cannot be read, there are none, two share an id, or a prompt is empty
* the card or the line about it is missing
* a right answer that its own scorer marks wrong, an empty answer that passes, a scorer that fails
* the right answer stands in the prompt
* an example is one of the samples
* with a model: prompts over its context
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from bench.harness.core import (
    Chat,
    Generate,
    LogLikelihood,
    LogProb,
    Model,
    Request,
    Resources,
    Response,
    Reward,
    RollingLogLikelihood,
    Sample,
    Sandbox,
    Score,
    Task,
    Verdict,
)
from bench.harness.data import Data
from bench.harness.errors import BenchError, InfrastructureError
from bench.harness.evaluation import opened
from bench.harness.executor import open_sandbox
from bench.harness.models.names import open_model
from bench.harness.prompting import Form, asker

LONG = 30
"""characters from which on an answer cannot be in its prompt by chance"""
MANY, MOST = 5, 0.9
"""samples of which this part has a prompt that ends in its answer: no coincidence"""
SOME = 0.25
"""of the prompts hold a long answer: more than where a part of a text is asked for by chance"""

Asked: TypeAlias = tuple[Sample, Request]


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake of a task: its kind, how many samples have it, and what the first of them shows."""

    task: str
    kind: str
    count: int = 1
    detail: str = ""

    def __str__(self) -> str:
        """Give it as one line."""
        many = f" ({self.count:,} times)" if self.count > 1 else ""
        line = " ".join(f"{self.task}: {self.kind}{many}: {self.detail}".split())
        return line.removesuffix(":")


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks tasks, one after the other, on their first `limit` samples (None: on all)."""

    data: Data
    sandbox: Sandbox | None
    model: Model | None
    limit: int | None
    workers: int

    def check(self, task: Task) -> Iterator[Finding]:
        """Yield what is wrong with a task, one finding for each kind."""
        if task.card is None:
            yield Finding(task.name, "no card", detail="Task(card=Card(...)) says what it is.")
        if not task.about:
            yield Finding(task.name, "no line about it", detail='Task(about="...") is listed.')
        try:
            samples = list(islice(task.samples(self.data), self.limit))
            asked = [(sample, task.ask(sample)) for sample in samples]
        except Exception as problem:  # noqa: BLE001 - a task may fail in any way
            yield Finding(task.name, "samples cannot be read", detail=_said(problem))
            return
        if not asked:
            yield Finding(task.name, "no samples", detail="The split is empty.")
            return
        for kind, found in (
            ("two samples share an id", duplicates(samples)),
            ("empty prompt", [sample.id for sample, request in asked if not _text(request)]),
            ("right answer in the prompt", leaks(task, asked)),
            ("right answer marked wrong", self._wrong(task, asked)),
            ("empty answer passes", self._empty(task, asked[:MANY])),
            ("example among the samples", self._examples(task, asked)),
            ("prompt over the context", self._too_long(task, samples)),
        ):
            if found:
                yield Finding(task.name, kind, len(found), found[0])

    def _wrong(self, task: Task, asked: Sequence[Asked]) -> list[str]:
        if task.judged or task.gold is None or not (self.sandbox or not task.languages):
            return []
        gold = task.gold
        with ThreadPoolExecutor(self.workers) as pool:
            said = pool.map(
                lambda one: self._scored_wrong(task, one[0], one[1], gold(one[0])), asked
            )
            return [each for each in said if each]

    def _scored_wrong(
        self, task: Task, sample: Sample, request: Request, answer: str | None
    ) -> str:
        """Say how a right answer is scored, if it does not pass."""
        if answer is None:
            return ""
        response = Response(text=answer, finish_reason="stop")
        if isinstance(request, LogLikelihood):
            likely = [-1.0 if text == answer else -1000.0 for _, text in request.pairs]
            if -1.0 not in likely:
                return f"{sample.id} (no choice is {answer!r})"
            response = Response(logprobs=tuple(LogProb(one, 1, greedy=False) for one in likely))
        score = self._score(task, sample, response)
        if isinstance(score, str):
            return score
        if score.verdict is Verdict.PASSED:
            return ""
        return f"{sample.id} ({score.verdict} {score.detail[:200]})"

    def _empty(self, task: Task, asked: Sequence[Asked]) -> list[str]:
        written = [sample for sample, each in asked if isinstance(each, Generate | Chat)]
        if task.judged or (task.languages and not self.sandbox):
            return []
        empty = Response(finish_reason="stop")
        scores = [(sample, self._score(task, sample, empty)) for sample in written]
        return [
            score if isinstance(score, str) else sample.id
            for sample, score in scores
            if isinstance(score, str) or score.verdict is Verdict.PASSED
        ]

    def _score(self, task: Task, sample: Sample, response: Response) -> Score | str:
        """Score an answer, or say why the scorer fails."""
        try:
            return task.score(sample, response, Resources(self.sandbox))
        except InfrastructureError as problem:
            return f"{sample.id} (the sandbox failed: {problem})"
        except Exception as problem:  # noqa: BLE001 - a scorer may fail in any way
            return f"{sample.id} (the scorer fails: {_said(problem)})"

    def _examples(self, task: Task, asked: Sequence[Asked]) -> list[str]:
        """Give the examples that ask just what a sample asks."""
        if task.examples is None or not task.fewshot:
            return []
        try:
            shown = list(islice(task.examples(self.data), task.fewshot))
            if len(shown) < task.fewshot:
                return [f"{len(shown)} examples, not the {task.fewshot} that it shows"]
            questions = {request for _, request in asked}
            return [each.id for each in shown if task.ask(each) in questions]
        except Exception as problem:  # noqa: BLE001 - as above
            return [f"examples cannot be read: {_said(problem)}"]

    def _too_long(self, task: Task, samples: Sequence[Sample]) -> list[str]:
        """Give the samples whose prompts the model cannot take, as a run would ask it.

        Longer prompts are taken to be longer in tokens, so that a few of them have to be tried.
        """
        if self.model is None or task.tokens is not None:
            return []
        asks = asker(task, Form(chat=self.model.has_chat_template), self.data)
        asked = [(sample, asks.ask(sample)) for sample in samples]
        asked.sort(key=lambda one: -len(_text(one[1])))
        fits = first(len(asked), lambda place: not over(self.model, asked[place][1]))
        return [f"{sample.id} ({len(_text(each)):,} characters)" for sample, each in asked[:fits]]


def check(
    tasks: Sequence[Task],
    data_dir: Path | None,
    sandbox_name: str,
    model_name: str | None,
    limit: int | None,
) -> Iterator[Finding]:
    """Yield what is wrong with some tasks, with a sandbox for those that run programs.

    Raises:
        BenchError: the model or the sandbox is not there.

    """
    model = open_model(model_name) if model_name else None
    workers = os.cpu_count() or 1
    with opened(partial(open_sandbox, sandbox_name, workers), tasks) as (sandbox, _):
        checker = Checker(Data(data_dir), sandbox, model, limit, workers)
        for task in tasks:
            yield from checker.check(task)


def duplicates(samples: Iterable[Sample]) -> list[str]:
    """Give the ids that more than one sample has."""
    counts = Counter(sample.id for sample in samples)
    return [id_ for id_, count in counts.items() if count > 1]


def leaks(task: Task, asked: Sequence[Asked]) -> list[str]:
    """Give the samples whose right answer their prompt tells.

    A long answer word for word, where the prompt does not tell the other choices as well and a
    quarter of the samples do so; or any answer that the prompt ends in, where nearly all do so.
    """
    if task.gold is None:
        return []
    long, ends = list[str](), list[str]()
    for sample, request in asked:
        answer, prompt = (task.gold(sample) or "").strip(), _text(request).rstrip()
        others = [text.strip() for text in _continuations(request) if text.strip() != answer]
        listed = bool(others) and all(other in prompt for other in others)
        if len(answer) >= LONG and answer in prompt and not listed:
            long.append(sample.id)
        if answer and prompt.endswith(answer) and not prompt[: -len(answer)][-1:].isalnum():
            ends.append(sample.id)
    if long and len(long) >= SOME * len(asked):
        return long
    return ends if len(ends) >= max(MANY, MOST * len(asked)) else []


def first(count: int, holds: Callable[[int], bool]) -> int:
    """Give the first of `count` places from which on something holds, or `count`.

    >>> first(10, lambda place: place > 6)
    7
    """
    low, high = 0, count
    if count and holds(0):  # in most cases, and then nothing else is asked
        return 0
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def over(model: Model | None, request: Request) -> bool:
    """Tell whether a prompt does not fit into a model's context, by asking for one token."""
    assert model is not None
    if isinstance(request, Generate | Chat):
        request = replace(request, sampling=replace(request.sampling, max_tokens=1))
    [(_, response)] = model.respond([request])
    if response.error:
        raise BenchError(f"{model.name}: {response.error}")
    return response.finish_reason == "length" and not (
        response.completion_tokens or response.logprobs
    )


def _text(request: Request) -> str:
    """Give what a request shows, as text; token ids count as one character each."""
    match request:
        case Generate():
            shown = request.prompt
        case Chat():
            shown = "\n".join(message.text for message in request.messages)
        case LogLikelihood():
            shown = max((context or text for context, text in request.pairs), key=len, default="")
        case RollingLogLikelihood():
            shown = request.text
        case Reward():
            shown = request.prompt
    return shown if isinstance(shown, str) else "\ufffd" * len(shown)


def _continuations(request: Request) -> list[str]:
    pairs = request.pairs if isinstance(request, LogLikelihood) else ()
    return [text for _, text in pairs if isinstance(text, str)]


def _said(problem: Exception) -> str:
    kind = "" if isinstance(problem, BenchError) else f"{type(problem).__name__}: "
    return f"{kind}{problem}"
