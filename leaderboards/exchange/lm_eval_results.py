"""What lm-evaluation-harness 0.4 wrote: results_*.json, and samples_*.jsonl where it has them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, TypeGuard

from bench.harness import Estimate, store
from bench.harness.errors import BenchError
from bench.leaderboards.exchange.imported import Scored, Source, is_share, json_lines

PREFIX = "lm_eval/"
"""tasks are called as those that we run ourselves"""
TOLERANCE = 1e-6


def results_file(place: Path) -> Path:
    """Find the results in a folder; a file is taken as it is.

    Raises:
        BenchError: there are none, or several.

    """
    if not place.is_dir():
        return place
    found = sorted({*place.rglob("results_*.json"), *place.rglob("results.json")})
    if not found:
        raise BenchError(f"{place}: no results_*.json in it. Name the file to import.")
    if len(found) > 1:
        names = ", ".join(str(file.relative_to(place)) for file in found[-3:])
        raise BenchError(f"{place}: {len(found)} results in it ({names}). Name one of them.")
    return found[0]


def is_results(file: Path) -> bool:
    """Tell whether a file is one of lm-eval's results."""
    return file.suffix == ".json"


class Results:
    """The results of one evaluation of lm-eval."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.content = store.read_json(file)
        self._means: dict[str, list[str]] = {}
        for key in ("results", "configs"):
            if not isinstance(self.content.get(key), dict):
                raise BenchError(f"{file}: no results of lm-eval, for it has no {key!r}.")
        groups = self.content.get("group_subtasks") or {}
        self.tasks = [
            name
            for name, numbers in self.content["results"].items()
            if isinstance(numbers, dict) and not groups.get(name) and self._metrics(name)
        ]
        self.groups = [name for name, members in groups.items() if members]
        date = file.stem.removeprefix("results").removeprefix("_")
        self.samples = {
            name: found
            for name in self.tasks
            for found in [file.with_name(f"samples_{name}{date and '_'}{date}.jsonl")]
            if found.is_file()
        }

    def _metrics(self, task: str) -> dict[str, float | None]:
        """Give the values of a task by metric; None for what is no number."""
        return {
            name: float(value) if _is_number(value) and isfinite(value) else None
            for name, value in self.content["results"][task].items()
            if _parts(name) and (_is_number(value) or value is None)
        }

    def source(self) -> Source:
        """Give what is known of the evaluation, and the numbers that no samples stand behind."""
        content, config = self.content, self.content.get("config") or {}
        shots = content.get("n-shot") or {}
        date, limit = content.get("date"), config.get("limit")
        return Source(
            program="lm-eval",
            model=self._model(config),
            files=(self.file, *self.samples.values()),
            created=_iso(date) if _is_number(date) else "",
            form="chat" if content.get("chat_template") else "completion",
            sampling={"limit": limit if _is_number(limit) else None, "shuffle": False},
            tasks={
                f"{PREFIX}{name}": {
                    "version": None,
                    "lm_eval_version": (content.get("versions") or {}).get(name),
                    "fewshot": shots.get(name),
                }
                for name in self.tasks
            },
            lower_is_better={f"{PREFIX}{name}": self._lower(name) for name in self.tasks},
            reported={f"{PREFIX}{name}": self._reported(name) for name in self.tasks},
        )

    def _model(self, config: Mapping[str, Any]) -> dict[str, Any]:
        named = self.content.get("model_name") or config.get("model") or self.file.parent.name
        known = {
            "revision": config.get("model_sha") or config.get("model_revision"),
            "dtype": config.get("model_dtype"),
            "arguments": config.get("model_args"),
        }
        return {"name": str(named), "backend": f"lm-eval {config.get('model') or ''}".strip()} | {
            key: str(value) for key, value in known.items() if value
        }

    def _lower(self, task: str) -> frozenset[str]:
        higher = (self.content.get("higher_is_better") or {}).get(task) or {}
        return frozenset(
            name for name in self._metrics(task) if higher.get(name.partition(",")[0]) is False
        )

    def _reported(self, task: str) -> dict[str, Estimate]:
        """Give the metrics of which samples have no values whose mean they are."""
        means = self.means(task)
        return {
            name: self._estimate(task, name, value)
            for name, value in self._metrics(task).items()
            if name not in means
        }

    def _estimate(self, task: str, name: str, value: float | None) -> Estimate:
        """Give a number with the interval that its standard error implies.

        An error of 0 says nothing: lm-eval gives it where all samples agree, or has no other.
        """
        metric, pipeline = name.split(",", 1)
        error = self.content["results"][task].get(f"{metric}_stderr,{pipeline}")
        counts = (self.content.get("n-samples") or {}).get(task) or {}
        n = int(counts.get("effective") or 0)
        if value is None or not _is_number(error) or not isfinite(error) or error <= 0:
            return Estimate(value, None, None, n)
        low, high = value - 1.96 * error, value + 1.96 * error
        if is_share(value):
            low, high = max(low, 0.0), min(high, 1.0)
        return Estimate(value, low, high, n)

    def means(self, task: str) -> list[str]:
        """Give the metrics that are the mean of their values of samples, as the results have it."""
        if task not in self._means:
            self._means[task] = self._found_means(task) if task in self.samples else []
        return self._means[task]

    def _found_means(self, task: str) -> list[str]:
        sums: dict[str, tuple[float, int]] = {}
        for where, row in self._documents(task):
            for name, value in _values(where, row).items():
                total, count = sums.get(name, (0.0, 0))
                sums[name] = total + value, count + 1
        stated = self._metrics(task)
        return [
            name
            for name, value in stated.items()
            if value is not None
            and name in sums
            and abs(sums[name][0] / sums[name][1] - value) <= TOLERANCE * max(1.0, abs(value))
        ]

    def _documents(self, task: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the lines of a task's samples, each document once for each filter."""
        lines: dict[tuple[str, str], str] = {}
        for where, row in json_lines(self.samples[task]):
            if "doc_id" not in row:
                raise BenchError(f"{where}: no 'doc_id', so this is no sample of lm-eval.")
            number = where.rpartition(":")[2]
            key = str(row["doc_id"]), str(row.get("filter"))
            before = lines.setdefault(key, number)
            if before is not number:
                raise BenchError(f"{where}: doc_id {key[0]} is in line {before} already.")
            yield where, row

    def rows(self) -> Iterator[Scored]:
        """Yield the samples of all tasks that were logged.

        Raises:
            BenchError: a line lacks what it should have, or a document is there twice.

        """
        for task in self.samples:
            means = self.means(task)
            if means:
                yield from self._rows(task, means)

    def _rows(self, task: str, means: list[str]) -> Iterator[Scored]:
        values: dict[str, dict[str, float | None]] = {}
        texts: dict[str, tuple[str | None, str]] = {}
        config = self.content["configs"].get(task) or {}
        written = config.get("output_type") == "generate_until"  # else texts were weighed
        for where, row in self._documents(task):
            document = str(row["doc_id"])
            values.setdefault(document, dict.fromkeys(means)).update(
                {name: value for name, value in _values(where, row).items() if name in means}
            )
            text = _text(row) if written else None
            texts.setdefault(document, (text, _shown(row.get("filtered_resps"))))
        for document, found in values.items():
            text, extracted = texts[document]
            yield Scored(f"{PREFIX}{task}", document, found, text, extracted)


def _parts(name: str) -> bool:
    """Tell whether a key of results names a metric and a filter, as in "acc,none"."""
    metric, comma, _ = name.partition(",")
    return bool(comma) and not metric.endswith("_stderr")


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _iso(date: float) -> str:
    return datetime.fromtimestamp(date, UTC).isoformat(timespec="seconds")


def _values(where: str, row: Mapping[str, Any]) -> dict[str, float]:
    """Give the values of a document, named as the results name their means.

    Raises:
        BenchError: a value is NaN.

    """
    names = row.get("metrics")
    if not isinstance(names, list):
        plain = {"doc", "target", "arguments", "resps", "filtered_resps", "filter", "doc_id"}
        names = [name for name in row if name not in plain]
    found = {}
    for name in names:
        value = row.get(name)
        if isinstance(value, int | float):
            if not isfinite(value):
                raise BenchError(f"{where}: {name!r} is {value}, which is no score.")
            found[f"{name},{row.get('filter', 'none')}"] = float(value)
    return found


def _text(row: Mapping[str, Any]) -> str | None:
    """Give what the model wrote."""
    match row.get("resps"):
        case [[str(text), *_], *_]:
            return text
    return None


def _shown(answers: Any) -> str:
    return str(answers[0]) if isinstance(answers, list) and len(answers) == 1 else ""
