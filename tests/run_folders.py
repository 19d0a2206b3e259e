"""Run folders as `bench run` writes them, made from given values instead of by a model."""

import hashlib
import json
from pathlib import Path

from bench.harness import Task, Verdict
from bench.harness.stats import mean_of
from bench.harness.store import MANIFEST, RESPONSES, SCORES, SUMMARY, write_json
from bench.harness.summary import summarize

SAMPLING = {"n": 1, "temperature": None, "max_tokens": None, "seed": 0, "limit": None}


def task(name, metric="acc", **options):
    """A task that nobody has installed, with one metric."""
    return Task(name, 1, None, None, None, {metric: mean_of(metric, **options)})


def write_run(folder: Path, values, model="tiny", tasks=(), **manifest) -> Path:
    """Write a finished run.

    `values` are {task: {sample: value, or (value, group), or None for our own failure}}; `tasks`
    describe those whose only metric is not "acc".
    """
    folder.mkdir(parents=True)
    known = {one.name: one for one in tasks}
    known = {name: known.get(name) or task(name) for name in values}
    scores = [
        _score(known[name], sample, value)
        for name, samples in values.items()
        for sample, value in samples.items()
    ]
    for file, rows in ((SCORES, scores), (RESPONSES, map(_response, scores))):
        (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    written = {
        "created": "2026-07-28T09:30:00+00:00",
        "model": {"name": model, "backend": "scripted"},
        "format": "completion",
        "sampling": SAMPLING,
        "tasks": {
            name: {"version": 1, "samples": len(samples), "prompts": _hash(name, *samples)}
            for name, samples in values.items()
        },
        "data": {},
        "sandbox": None,
        "judge": None,
        "libraries": {},
        "data_dir": None,
        "hardware": {},
    }
    write_json(folder / MANIFEST, written | manifest)
    write_json(folder / SUMMARY, summarize(list(known.values()), scores, 1))
    return folder


def _score(one, sample, value):
    value, group = value if isinstance(value, tuple) else (value, "")
    verdict = Verdict.PASSED if value == 1 else Verdict.WRONG
    return {
        "key": _hash(one.name, sample)[:32],
        "task": one.name,
        "sample": sample,
        "draw": 0,
        "group": group,
        "verdict": Verdict.INFRASTRUCTURE_ERROR if value is None else verdict,
        "values": {} if value is None else {next(iter(one.metrics)): value},
        "finish_reason": "stop",
        "empty": False,
        "extracted": "",
        "detail": "",
    }


def _response(score):
    return {
        **{name: score[name] for name in ("key", "task", "sample", "draw")},
        "texts": ["an answer"],
        "finish_reason": "stop",
        "prompt_tokens": 3,
        "completion_tokens": 2,
    }


def _hash(*parts):
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
