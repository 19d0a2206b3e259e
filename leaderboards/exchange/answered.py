"""What a run asked, heard and scored, sample by sample, for the files of other programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.harness.store import Store
from bench.leaderboards.ordering import joined, ordered
from bench.leaderboards.pages.drilldown import ways
from bench.leaderboards.pages.questions import render
from bench.leaderboards.runs import Run


@dataclass(frozen=True, slots=True)
class Answered:
    """A sample with all of its answers."""

    sample: str
    turns: Sequence[tuple[str, str]]
    """(role, text) of what was asked, the role of a completion empty; none where it is not known"""
    choices: Sequence[tuple[str, str]]
    """(context, continuation) of what was weighed"""
    target: str
    draws: Sequence[Mapping[str, Any]]
    """the fields of response and score together"""
    values: Mapping[str, float | tuple[float, ...]]
    """by metric, over the draws; a pooled metric has several. What was not scored is not there."""

    @property
    def prompt(self) -> str:
        """The text that was asked, turns below one another."""
        return "\n\n".join(f"{role}: {text}" if role else text for role, text in self.turns)


def answered(run: Run, data_dir: Path | None) -> Iterator[tuple[str, list[Answered]]]:
    """Yield each task with its samples. Prompts are rendered anew, where the data is at hand.

    Raises:
        BenchError: the run is damaged, or being written.

    """
    cells = run.cells()
    with Store(run.folder) as store:
        keys = ordered(store, run.manifest)
        for name, records in groupby(joined(store, keys), key=lambda record: record["task"]):
            asked = _questions(run, name, data_dir)
            cell = cells[name]
            columns = {**cell.columns, **cell.rows}
            at = {sample: place for place, sample in enumerate(cell.samples)}
            found = []
            for sample, draws in groupby(records, key=lambda record: record["sample"]):
                question = asked.get(sample, {})
                scored = {metric: column[at[sample]] for metric, column in columns.items()}
                found.append(
                    Answered(
                        sample=sample,
                        turns=[(role, text) for role, text in question.get("prompt", ())],
                        choices=[(one, two) for one, two in question.get("choices", ())],
                        target=question.get("target", ""),
                        draws=list(draws),
                        values={name: one for name, one in scored.items() if one is not None},
                    )
                )
            yield name, found


def _questions(run: Run, name: str, data_dir: Path | None) -> dict[str, dict[str, Any]]:
    """Give what was asked by sample; {} where that cannot be known."""
    [way] = ways(name, [run], data_dir)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "questions.jsonl"
        if not render(way, file).ids:
            return {}
        with file.open("rb") as lines:
            return {one["id"]: one for one in map(json.loads, lines)}


def slugs(names: Sequence[str]) -> dict[str, str]:
    """Give each name one that every file system takes, all of them different.

    >>> slugs(["a/b", "a__b", "<i>"])
    {'a/b': 'a__b', 'a__b': 'a__b-2', '<i>': '-i-'}
    """
    found: dict[str, str] = {}
    for name in names:
        plain = name.replace("/", "__")[:120]
        slug = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in plain)
        slug = slug.lstrip(".") or "task"
        taken, number, base = {*found.values()}, 1, slug
        while slug in taken:
            number += 1
            slug = f"{base}-{number}"
        found[name] = slug
    return found
