"""`bench verify`: score the stored responses of a run again, and compare."""

import os
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import manifest, registry, runner
from bench.harness.core import Resources, Score
from bench.harness.data import Data
from bench.harness.errors import BenchError, Unfinished
from bench.harness.evaluation import opened
from bench.harness.executor import open_sandbox
from bench.harness.judging import OpenJudge, asked
from bench.harness.models.names import open_model
from bench.harness.models.tokenizer import tokenizer_of
from bench.harness.plan import Job, Plan, Settings, digest
from bench.harness.records import parse_response
from bench.harness.store import MANIFEST, SUMMARY, Store, read_json
from bench.harness.usage import parse_prices, used

AHEAD = 256


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer whose stored score is not what scoring it again gives."""

    task: str
    sample: str
    draw: int
    stored: str
    again: str


def verify(folder: Path, data_dir: Path | None, sandbox_name: str) -> tuple[int, list[Difference]]:
    """Score every stored response again; give the number compared and the differences.

    No model is needed. The summary is computed again as well and must be equal.

    Raises:
        BenchError: no run, or its data, tasks or isolation are not the ones it was made with.
        Unfinished: some answers have no response or no score yet.

    """
    if not (folder / MANIFEST).is_file():
        raise BenchError(f"{folder}: not a run, for it has no {MANIFEST}.")
    written = read_json(folder / MANIFEST)
    if "imported" in written:
        raise BenchError(f"{folder}: imported from {written['imported']}; nothing to score again.")
    directory = data_dir or (Path(written["data_dir"]) if written["data_dir"] else None)
    workers = os.cpu_count() or 1
    with Store(folder) as store:
        plan = _plan(written, directory, store)
        here = partial(open_sandbox, sandbox_name, workers)
        with opened(here, plan.tasks) as (sandbox, isolation):
            _, described = plan.describe()
            sandbox_now = isolation and manifest.deciding(isolation)
            now = {"tasks": described, "data": plan.data.hashes, "sandbox": sandbox_now}
            manifest.check(folder, written, {**written, **now})
            judge = OpenJudge(written["judge"], None) if written.get("judge") else None
            with asked(judge, folder) as judging:
                resources = Resources(sandbox, judging)
                compared = list(_compare(plan, store, resources, workers))
            _compare_summary(plan, store, folder)
    return len(compared), [one for one in compared if one is not None]


def _plan(written: dict[str, Any], directory: Path | None, store: Store) -> Plan:
    sampling = dict(written["sampling"])
    settings = Settings(chat=written["format"] == "chat", **sampling)
    known = registry.recorded(written["tasks"])
    tasks = [known[name] for name in written["tasks"]]
    given = _given(store, written["given"]["answers"]) if "given" in written else None
    spec = written.get("opened_as")
    tokenizer = tokenizer_of(open_model(spec)) if spec else None
    return Plan(tasks, Data(directory), settings, digest(written["model"]), given, tokenizer)


def _given(store: Store, expected: int) -> dict[tuple[str, str], list[int]]:
    """Give the draws of each (task, sample) that a run of given answers took from its file."""
    if len(store.responses) < expected:
        raise Unfinished(
            f"{store.folder}: {expected - len(store.responses):,} of {expected:,} answers are not "
            "in it yet. Finish the run with its own command first."
        )
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for record in store.responses:
        found[record["task"], record["sample"]].append(record["draw"])
    return {key: sorted(draws) for key, draws in found.items()}


def _compare(
    plan: Plan, store: Store, resources: Resources, workers: int
) -> Iterator[Difference | None]:
    """Yield None for each answer that scores as before, else the difference."""
    with ThreadPoolExecutor(workers, thread_name_prefix="score") as pool:
        waiting: deque[tuple[Job, Future[Score]]] = deque()
        for job in plan.jobs():
            if job.key not in store.responses or not runner.is_scored(store, job.key):
                pool.shutdown(cancel_futures=True)
                raise Unfinished(
                    f"{store.folder}: {job.task.name} {job.sample.id} is not scored yet. "
                    "Finish the run with its own command first."
                )
            response = parse_response(store.responses[job.key])
            waiting.append((job, pool.submit(runner.score_once, job, response, resources)))
            if len(waiting) >= AHEAD:
                yield _difference(store, *waiting.popleft())
        while waiting:
            yield _difference(store, *waiting.popleft())


def _difference(store: Store, job: Job, future: Future[Score]) -> Difference | None:
    stored, again = store.scores[job.key], future.result()
    if stored["verdict"] == again.verdict and stored["values"] == dict(again.values):
        return None
    before = f"{stored['verdict']} {stored['values']}"
    after = f"{again.verdict} {dict(again.values)} {again.detail[:200]}".rstrip()
    return Difference(job.task.name, job.sample.id, job.draw, before, after)


def _compare_summary(plan: Plan, store: Store, folder: Path) -> None:
    from bench.harness.summary import summarize

    file = folder / SUMMARY
    old = read_json(file) if file.exists() else {}
    new = summarize(plan.tasks, store.scores, plan.settings.n, store.responses)
    if old != new | used(plan, store, parse_prices(old)):
        raise Unfinished(
            f"{file}: not what the stored scores give. Run the command of this run again."
        )
