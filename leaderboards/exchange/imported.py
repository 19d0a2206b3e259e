"""A run folder of numbers that another program made: boards and comparisons read it as any other.

Its manifest says "imported". What it does not say is not known: how it was asked, on what data.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from math import inf
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.harness import Estimate, Metric, Task, Verdict, store
from bench.harness.errors import BenchError, Unfinished
from bench.harness.plan import digest
from bench.harness.stats import mean_of, pass_at
from bench.harness.summary import summarize

KEY = 32
"""characters of a record's key"""
PASSED = "pass@1"


@dataclass(frozen=True, slots=True)
class Scored:
    """One sample, as another program scored it. A value of None: not scored."""

    task: str
    sample: str
    values: Mapping[str, float | None]
    """by metric; the first decides the verdict"""
    text: str | None = None
    """what the model answered, where that is known"""
    extracted: str = ""
    group: str = ""
    draw: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """What numbers are imported from."""

    program: str
    model: Mapping[str, Any]
    files: tuple[Path, ...]
    created: str = ""
    form: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    """what is known of them, by name"""
    lower_is_better: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reported: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    """numbers of tasks that no values of samples stand behind"""


@dataclass(slots=True)
class Seen:
    """What the samples of a task turned out to be."""

    samples: set[str] = field(default_factory=set[str])
    draws: int = 1
    ends: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """the least and the largest value by metric"""

    def add(self, one: Scored) -> None:
        """Add a sample."""
        self.samples.add(one.sample)
        self.draws = max(self.draws, one.draw + 1)
        for name, value in one.values.items():
            low, high = self.ends.get(name, (inf, -inf))
            found = (value, value) if value is not None else (inf, -inf)
            self.ends[name] = min(low, found[0]), max(high, found[1])


def write_run(out: Path, source: Source, rows: Iterable[Scored]) -> dict[str, Any]:
    """Write a finished run into a folder that does not exist or is empty; give its summary.

    Raises:
        BenchError: the folder holds other things, or a row is wrong.
        Unfinished: it cannot be written; nothing is left of it.

    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BenchError(f"--out {out}: is not an empty folder. Name another one.")
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            summary = _write(draft, source, rows)
            draft.chmod(0o755)
            draft.rename(out)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as problem:
        said = f"{problem.strerror} ({problem.filename or out})"
        raise Unfinished(f"--out {out}: {said}. Mend that, then import again.") from problem
    return summary


def _write(folder: Path, source: Source, rows: Iterable[Scored]) -> dict[str, Any]:
    seen: defaultdict[str, Seen] = defaultdict(Seen)
    with (
        (folder / store.SCORES).open("w", encoding="utf-8") as scores,
        (folder / store.RESPONSES).open("w", encoding="utf-8") as responses,
    ):
        for one in rows:
            seen[one.task].add(one)
            record = _score(one, source.lower_is_better.get(one.task, frozenset()))
            scores.write(json.dumps(record, separators=(",", ":")) + "\n")
            if one.text is not None:
                responses.write(json.dumps(_response(record, one.text)) + "\n")
    draws = max((one.draws for one in seen.values()), default=1)
    tasks = [
        _task(name, one, source.lower_is_better.get(name, frozenset()))
        for name, one in seen.items()
    ]
    summary = summarize(tasks, store.read_records(folder / store.SCORES), draws)
    for name, estimates in source.reported.items():
        _report(summary["tasks"], name, estimates, source.lower_is_better.get(name, frozenset()))
    store.write_json(folder / store.MANIFEST, _manifest(source, seen, summary, draws))
    store.write_json(folder / store.SUMMARY, summary)
    return summary


def _score(one: Scored, lower: frozenset[str]) -> dict[str, Any]:
    """Give the line of scores.jsonl."""
    values = {_of(name): value for name, value in one.values.items() if value is not None}
    return {
        "key": digest([one.task, one.sample, one.draw])[:KEY],
        "task": one.task,
        "sample": one.sample,
        "draw": one.draw,
        "group": one.group,
        "verdict": _verdict(one.values, lower),
        "values": values,
        "finish_reason": "",
        "empty": one.text is not None and not one.text.strip(),
        "extracted": one.extracted,
        "detail": "",
    }


def _of(metric: str) -> str:
    """Give the name of the value behind a metric, as runs know it."""
    return "passed" if metric == PASSED else metric


def _verdict(values: Mapping[str, float | None], lower: frozenset[str]) -> Verdict:
    """Say that an answer passed where its first value is a half or more, or less is better."""
    name, first = next(iter(values.items()))
    if first is None:
        return Verdict.NO_ANSWER
    return Verdict.PASSED if (first >= 0.5) != (name in lower) else Verdict.WRONG


def _response(record: Mapping[str, Any], text: str) -> dict[str, Any]:
    return {
        **{name: record[name] for name in ("key", "task", "sample", "draw")},
        "texts": [text],
        "finish_reason": "",
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }


def _task(name: str, seen: Seen, lower: frozenset[str]) -> Task:
    """Give the task that `summarize` needs: the means of the values."""

    def never(*_: Any) -> Any:
        raise BenchError(f"{name}: imported, so that nothing can be asked.")

    metrics = {metric: _metric(metric, ends, lower) for metric, ends in seen.ends.items()}
    return Task(name, 0, never, never, never, metrics)


def _metric(name: str, ends: tuple[float, float], lower: frozenset[str]) -> Metric:
    """Give a mean; values that all lie between 0 and 1 are taken for shares."""
    if name == PASSED:
        return pass_at(1)
    low, high = (0.0, 1.0) if ends[0] >= 0 and ends[1] <= 1 else (None, None)
    return mean_of(name, low, high, lower_is_better=name in lower)


def _report(
    tasks: dict[str, Any], name: str, estimates: Mapping[str, Estimate], lower: frozenset[str]
) -> None:
    """Add numbers that were only reported; beside values of samples they stand apart."""
    if name in tasks:
        tasks[name]["reported"] = list(estimates)
    entry = tasks.setdefault(name, {"metrics": {}, "verdicts": {}, "rates": RATES, "unscored": 0})
    entry["metrics"] |= {metric: asdict(one) for metric, one in estimates.items()}
    less = [metric for metric in entry["metrics"] if metric in lower]
    wide = {metric: [None, None] for metric, one in estimates.items() if not is_share(one.value)}
    entry |= {"lower_is_better": less} if less else {}
    entry |= {"bounds": entry.get("bounds", {}) | wide} if wide else {}


RATES = dict.fromkeys(("truncated", "empty", "no_answer", "infrastructure_error"), 0.0)


def is_share(value: float | None) -> bool:
    """Tell whether a number is taken for a share."""
    return value is None or 0 <= value <= 1


def _manifest(
    source: Source, seen: Mapping[str, Seen], summary: Mapping[str, Any], draws: int
) -> dict[str, Any]:
    return {
        "imported": source.program,
        "created": source.created or datetime.now(UTC).isoformat(timespec="seconds"),
        "model": dict(source.model),
        "format": source.form,
        "sampling": {"n": draws, **source.sampling},
        "tasks": {
            name: {
                "version": None,
                "samples": len(seen[name].samples) if name in seen else _largest(entry),
                "prompts": None,
                **source.tasks.get(name, {}),
            }
            for name, entry in summary["tasks"].items()
        },
        "data": {},
        "sandbox": None,
        "judge": None,
        "files": {file.name: hashed(file) for file in source.files},
        "libraries": {"bench-harness": version("bench-harness")},
        "data_dir": None,
        "hardware": {},
    }


def _largest(entry: Mapping[str, Any]) -> int:
    return max(int(numbers["n"]) for numbers in entry["metrics"].values())


def hashed(file: Path) -> str:
    """Give the SHA-256 of a file's content."""
    with file.open("rb") as content:
        found = sha256()
        while part := content.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def json_lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each object of a file of JSON lines is, and the object; NaN stays NaN.

    Raises:
        BenchError: the file cannot be read, or a line is no JSON object.

    """
    number = 0
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise BenchError(f"{file}:{number}: not a JSON object.")
                yield f"{file}:{number}", row
    except UnicodeDecodeError as problem:
        raise BenchError(f"{file}:{number + 1}: not UTF-8 ({problem.reason}).") from problem
    except (ValueError, RecursionError) as problem:
        raise BenchError(f"{file}:{number}: not JSON ({problem}).") from problem
    except OSError as problem:
        raise BenchError(f"{file}: cannot be read ({problem.strerror}).") from problem
