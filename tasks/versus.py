"""Two systems: `versus/RUN/TASK` is TASK, its answers judged beside those of an earlier run.

RUN is the folder of the run that answered first, relative or absolute; TASK is any task whose
answers are texts. A judge says which answer is better, in both orders.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import Card, Data, Resources, Response, Sample, Score, Task, registry
from bench.harness.data import read_jsonl
from bench.harness.errors import BenchError
from bench.harness.store import MANIFEST, RESPONSES, read_json
from bench.tasks import pairwise

CARD = Card(
    measures="How often a model's answers are preferred to those of another run.",
    source="The task that is named, and the run that is named.",
    licence="That of the task's data.",
    protocol=(
        "The task's own prompts; its own scorer is not used. A judge (--judge, a language model or "
        "a reward model) says whether the answer or the first one that the other run got is "
        "better, in both orders; where it disagrees with itself that is a tie, and an empty answer "
        "loses unasked. win_rate is win + tie / 2, lc_win_rate the same at equal length, "
        "first_place the judge's position bias (0.5: none). passed: not worse than the other run. "
        "bench rank puts many systems in order by such runs."
    ),
    limits=(
        "A win rate is worth no more than its judge, and a judge prefers answers like its own. "
        "The folder of the other run has to stay: verify reads it again."
    ),
)


def family(rest: str) -> Iterator[Task]:
    """RUN/TASK: the answers of any task that writes, judged beside those of an earlier run."""
    folder, glob = split(rest)
    for task in registry.select(glob):
        yield against(folder, task)


def split(rest: str) -> tuple[Path, str]:
    """Give the folder and the task of RUN/TASK.

    Raises:
        BenchError: no folder at the beginning is a run, or no task follows.

    """
    parts = rest.split("/")
    for count in range(1, len(parts)):
        folder = Path("/".join(parts[:count]) or "/")
        if (folder / RESPONSES).is_file() and parts[count]:
            return folder, "/".join(parts[count:])
    raise BenchError(
        f"versus/{rest}: name it versus/RUN/TASK, where RUN is a folder with {RESPONSES}."
    )


def against(folder: Path, task: Task) -> Task:
    """Give a task that judges its answers beside those of a run."""
    return replace(
        task,
        name=f"versus/{folder}/{task.name}",
        samples=partial(_samples, folder, task),
        score=_score,
        metrics={**pairwise.metrics(), "lc_win_rate": pairwise.length_control()},
        languages=(),
        groups={},
        baseline="",
        judged=True,
        about=f"Win rate against {folder} on {task.name}",
        card=CARD,
    )


def _samples(folder: Path, task: Task, data: Data) -> Iterator[Sample]:
    answers = read(folder, task.name)
    said = json.dumps(answers, sort_keys=True)
    name = f"versus/{folder}/{task.name}"
    data.hashes[name] = hashlib.sha256(said.encode()).hexdigest()
    data.opponents[name] = opponent(folder, task.name)
    for sample in task.samples(data):
        if sample.id not in answers:
            raise BenchError(
                f"{folder}: no written answer to {task.name} {sample.id}. Let that run answer it, "
                "or give --limit."
            )
        yield replace(sample, data={**sample.data, "other": answers[sample.id]})


def read(folder: Path, name: str) -> Mapping[str, str]:
    """Give the first answer of a run to each sample of a task.

    Raises:
        BenchError: the run has no written answers to the task.

    """
    answers = {
        row["sample"]: row["texts"][0]
        for row in read_jsonl(folder / RESPONSES)
        if row.get("task") == name and row.get("draw") == 0 and row.get("texts")
    }
    if not answers:
        raise BenchError(f"{folder}: no written answers to {name}. Name a task that it ran.")
    return answers


def opponent(folder: Path, name: str) -> Mapping[str, Any]:
    """Give whose answers those of a folder are, how they were asked for, and to which task."""
    file = folder / MANIFEST
    written = read_json(file) if file.exists() else {"model": {"name": folder.name}}
    how = {key: written[key] for key in ("model", "format", "sampling") if key in written}
    return {"task": name, "folder": str(folder), **how}


def _score(sample: Sample, response: Response, resources: Resources) -> Score:
    judge = resources.judge
    assert judge is not None
    one, other = response.text.strip(), sample.data["other"].strip()
    question = pairwise.Question(pairwise.BETTER, sample.prompt)
    found = pairwise.compare(judge, question, one, other)
    return Score(
        pairwise.verdict([found.said], response),
        {**pairwise.values("", found), "longer": float(len(one) - len(other))},
        extracted=one,
        detail=pairwise.told({"better": found}),
    )
