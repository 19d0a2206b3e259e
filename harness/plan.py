"""What a run consists of: every sample of every task, as the request that the model will get."""

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from bench.harness.core import Chat, Generate, Request, Sample, Task, Tokenizer
from bench.harness.data import Data
from bench.harness.errors import BenchError
from bench.harness.prompting import Form, asker, prefix_of


@dataclass(frozen=True, slots=True)
class Settings(Form):
    """How a run asks. None: what the task says."""

    n: int = 1
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int = 0
    limit: int | None = None
    shuffle: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One draw of one sample: a request to make and an answer to score.

    `prefix` is the text with which the answer begins, although no response repeats it.
    """

    key: str
    task: Task
    sample: Sample
    request: Request
    draw: int
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of a run, made anew at each pass, so that none of them is held in memory."""

    tasks: Sequence[Task]
    data: Data
    settings: Settings
    model: str
    """a hash of the model's identity"""
    given: Mapping[tuple[str, str], Sequence[int]] | None = None
    """which draws there are of each (task, sample), where the answers exist already"""
    tokenizer: Tokenizer | None = None
    """of the model, where a task asks in token ids"""

    def jobs(self) -> Iterator[Job]:
        """Yield every job, task by task."""
        for task in self.tasks:
            asks = asker(task, self.settings, self.data)
            for sample in self.samples(task):
                yield from self._draws(asks.task, sample, asks.ask(sample))

    def samples(self, task: Task) -> Iterator[Sample]:
        """Yield the samples of a task that this run takes."""
        samples = iter(task.samples(self.data))
        if self.settings.shuffle:
            shuffled = list(samples)
            random.Random(f"{self.settings.seed} {task.name}").shuffle(shuffled)  # noqa: S311
            samples = iter(shuffled)
        taken = islice(samples, self.settings.limit)
        if self.given is None:
            return taken
        return (sample for sample in taken if (task.name, sample.id) in self.given)

    def _draws(self, task: Task, sample: Sample, asked: Request) -> Iterator[Job]:
        request = self._encoded(task, sample, asked)
        prefix = prefix_of(request, self.settings)
        draws: Sequence[int] = range(self.settings.n if isinstance(request, Generate | Chat) else 1)
        if self.given is not None:
            draws = self.given[task.name, sample.id]
        for draw in draws:
            drawn = self._drawn(request, draw)
            yield Job(self._key(task, sample, drawn), task, sample, drawn, draw, prefix)

    def _encoded(self, task: Task, sample: Sample, request: Request) -> Request:
        if task.tokens is None:
            return request
        if self.tokenizer is None:
            raise BenchError(
                f"{task.name} asks in token ids, and the tokenizer of this model is not at hand. "
                "Use a model that transformers or vLLM runs here."
            )
        return task.tokens(sample, request, self.tokenizer)

    def _drawn(self, request: Request, draw: int) -> Request:
        if not isinstance(request, Generate | Chat):
            return request
        settings = self.settings
        sampling = replace(request.sampling, seed=settings.seed, draw=draw)
        for name in ("temperature", "top_p", "max_tokens"):
            value = getattr(settings, name)
            if value is not None:
                sampling = replace(sampling, **{name: value})
        if settings.n > 1 and sampling.temperature == 0 and self.given is None:
            raise BenchError(
                f"--n {settings.n}: greedy decoding draws the same answer each time. "
                "Give --temperature above 0."
            )
        return replace(request, sampling=sampling)

    def _key(self, task: Task, sample: Sample, request: Request) -> str:
        parts = (task.name, task.version, sample.id, self.model, request)
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def describe(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """Count the jobs, and describe each task with hashes of what it asks.

        "prompts" are the samples and requests as the task makes them, the same for every model;
        "requests" are those of this model, with its tokens and sampling.

        Raises:
            BenchError: two samples of a task share an id, or a task has no samples.

        """
        total, tasks = 0, {}
        for task in self.tasks:
            prompts, requests, ids = hashlib.sha256(), hashlib.sha256(), set[str]()
            asks = asker(task, self.settings, self.data)
            for sample in self.samples(task):
                if sample.id in ids:
                    raise BenchError(f"{task.name}: two samples have the id {sample.id!r}.")
                ids.add(sample.id)
                asked = asks.ask(sample)
                prompts.update(repr((sample.id, asked)).encode("utf-8", "surrogatepass"))
                for job in self._draws(asks.task, sample, asked):
                    requests.update(job.key.encode())
                    total += 1
            if not ids:
                raise BenchError(f"{task.name}: no samples.")
            tasks[task.name] = {
                "version": task.version,
                "samples": len(ids),
                "prompts": prompts.hexdigest(),
                "requests": requests.hexdigest(),
            }
        return total, tasks


def digest(content: Any) -> str:
    """Hash a JSON value by content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
