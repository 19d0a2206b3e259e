"""A finished run divided by how many tokens the words have that its samples are about."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.harness import Data, Task, Tokenizer, registry, store
from bench.harness.errors import BenchError

MOST = 4
"""tokens from which on words are put together"""
WAY = "tokens a word"


def by_tokens(run: Path, model: str) -> dict[str, Any]:
    """Give the summary of a finished run, with tasks divided by the tokens of their words.

    A task is divided whose samples name their word in `data["word"]`, as the probes of letters do.
    The tokens are those that the model's tokenizer makes of the word alone.

    Raises:
        BenchError: the model's tokenizer is not at hand, or no sample of the run names a word.

    """
    from bench.harness.models.names import open_model
    from bench.harness.models.tokenizer import tokenizer_of
    from bench.harness.summary import summarize  # numpy and scipy with it

    written = store.read_json(run / store.MANIFEST)
    tokenizer = tokenizer_of(open_model(model))
    if tokenizer is None:
        raise BenchError(f"--tokens-of {model}: its tokenizer is not at hand. Name a local model.")
    data = Data(Path(written["data_dir"]) if written["data_dir"] else None)
    known = registry.recorded(written["tasks"])
    with store.Store(run) as records:
        scored = {(record["task"], record["sample"]) for record in records.scores}
    buckets = {
        name: {
            sample: place
            for sample, place in buckets_of(known[name], data, tokenizer).items()
            if (name, sample) in scored
        }
        for name in written["tasks"]
    }
    if not any(buckets.values()):
        raise BenchError(f"--tokens-of: no task of {run} is about single words, as tkeval/* are.")
    tasks = [part for name, parts in buckets.items() for part in divided(known[name], parts)]
    with store.Store(run) as records:
        moved = (_moved(record, buckets) for record in records.scores)
        return summarize(tasks, moved, int(written["sampling"]["n"]))


def buckets_of(task: Task, data: Data, tokenizer: Tokenizer) -> dict[str, str]:
    """Give the bucket of each sample that names its word, by its id."""
    words = {sample.id: sample.data.get("word") for sample in task.samples(data)}
    return {
        id_: bucket(len(tokenizer.encode_plain(word)))
        for id_, word in words.items()
        if word is not None
    }


def bucket(tokens: int) -> str:
    """Name words of so many tokens.

    >>> bucket(1), bucket(2), bucket(9)
    ('1 token', '2 tokens', '4+ tokens')
    """
    if tokens < MOST:
        return f"{tokens} token{'s' if tokens > 1 else ''}"
    return f"{MOST}+ tokens"


def divided(task: Task, buckets: Mapping[str, str]) -> Iterator[Task]:
    """Yield a task for each bucket that a sample is in, or the task itself where none is."""
    if not buckets:
        yield task
    for name in sorted(set(buckets.values())):
        above = task.name.partition("/")[0]
        groups = {**task.groups, WAY: f"{above}/*/{name}"}
        yield replace(task, name=f"{task.name}/{name}", groups=groups, baseline="")


def _moved(record: Mapping[str, Any], buckets: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    place = buckets.get(record["task"], {}).get(record["sample"])
    return {**record, "task": f"{record['task']}/{place}" if place else record["task"]}
