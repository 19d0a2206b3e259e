"""Which numbers of two runs mean the same thing: measured on the same task, asked in the same way.

What belongs to a model (its weights, its chat template, the type of its numbers) may differ; what
belongs to the measurement may not. Of a run that was imported only what it says can be compared.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.leaderboards.runs import Run

CHOOSING = ("limit", "shuffle")
"""settings that choose samples; a paired comparison looks at those that both runs have"""
FREE = (*CHOOSING, "seed")
"""settings that change no measurement; a seed chooses samples too, where they are shuffled"""
ISOLATION = ("toolchain", "limits", "profile")
"""of a sandbox; an image that was built again on another day has another digest and the same
compiler"""


def reasons(one: Run, other: Run, task: str, *, paired: bool = False) -> list[str]:
    """Say why the numbers of a task in two runs cannot stand side by side; [] if they can.

    `paired`: the samples are matched one by one, so that the runs may hold different ones.
    """
    if task not in one.tasks or task not in other.tasks:
        without = [run.name for run in (one, other) if task not in run.tasks]
        return [f"not run by {' or '.join(without)}"]
    found = list(_reasons(one.manifest, other.manifest, task, paired=paired))
    judges = [judge_name(run.manifest.get("judge")) for run in (one, other)]
    if (one.tasks[task].judged or other.tasks[task].judged) and judges[0] != judges[1]:
        found.append(f"judged by {judges[0]} and by {judges[1]}")
    if one.imported or other.imported:
        shots = [_examples(run, task) for run in (one, other)]
        if _differ(shots[0], shots[1], partly=True):
            found.append(f"{shots[0]} and {shots[1]} examples before a question")
        return found
    languages = {*one.tasks[task].languages, *other.tasks[task].languages}
    return found + list(_sandboxes(one.manifest, other.manifest, sorted(languages)))


def _reasons(
    one: Mapping[str, Any], other: Mapping[str, Any], task: str, *, paired: bool
) -> Iterator[str]:
    ours, theirs = one["tasks"][task], other["tasks"][task]
    partly = "imported" in one or "imported" in other
    if _differ(ours.get("version"), theirs.get("version"), partly):
        yield f"task version {ours.get('version')} and {theirs.get('version')}"
    if _differ(one.get("format"), other.get("format"), partly):
        yield f"asked in {one.get('format')} form and in {other.get('format')} form"
    for name in dict.fromkeys([*one["sampling"], *other["sampling"]]):
        values = one["sampling"].get(name), other["sampling"].get(name)
        if name not in FREE and _differ(*values, partly):
            yield f"{name} {_short(values[0])} and {_short(values[1])}"
    yield from files(one.get("data") or {}, other.get("data") or {}, task)
    same_samples = None in (_choosing(one), _choosing(other)) or _choosing(one) == _choosing(other)
    if same_samples and _differ(ours.get("prompts"), theirs.get("prompts"), partly):
        yield "the prompts differ (the data or the few-shot examples are not the same)"
    elif (
        not paired and same_samples and _differ(ours.get("samples"), theirs.get("samples"), partly)
    ):
        yield f"{ours.get('samples')} and {theirs.get('samples')} samples"
    elif not paired and not same_samples:
        yield "not the same samples (--limit or --shuffle)"


def _examples(run: Run, task: str) -> int | None:
    """Give how many examples stand before a question, None where that is not known."""
    said: int | None = run.manifest["sampling"].get("fewshot")
    if said is None and run.imported:
        said = run.manifest["tasks"][task].get("fewshot")
    elif said is None and task in run.installed:
        said = run.installed[task].fewshot
    return said


def _differ(ours: Any, theirs: Any, partly: bool) -> bool:
    """Tell whether two values differ, as far as they are known where not all is."""
    return bool(ours != theirs) and not (partly and (ours is None or theirs is None))


def _choosing(written: Mapping[str, Any]) -> list[Any] | None:
    """Give the settings that choose samples, None where an imported run does not say them.

    The seed is one of them where samples are shuffled.
    """
    sampling = written["sampling"]
    if "imported" in written and "limit" not in sampling:
        return None
    chosen = [sampling.get(name) or None for name in CHOOSING]
    return [*chosen, sampling.get("seed")] if sampling.get("shuffle") else chosen


def files(ours: Mapping[str, str], theirs: Mapping[str, str], task: str) -> Iterator[str]:
    """Name the data files of a task's benchmark in which two manifests differ."""
    benchmarks = task.split("/")  # one that is made from another names both
    for name in sorted(ours.keys() & theirs.keys()):
        if ours[name] != theirs[name] and name.partition("/")[0] in benchmarks:
            yield f"the data file {name} differs"


def _sandboxes(
    one: Mapping[str, Any], other: Mapping[str, Any], languages: Iterable[str]
) -> Iterator[str]:
    ours, theirs = ((run.get("sandbox") or {}).get("languages", {}) for run in (one, other))
    for language in languages:
        for part in ISOLATION:
            if ours.get(language, {}).get(part) != theirs.get(language, {}).get(part):
                yield f"the {part} of the {language} sandbox differs"


def judge_name(judge: Mapping[str, Any] | None) -> str:
    """Give a judge by its name and revision."""
    return f"{judge.get('name')} {judge.get('revision', '')}".strip() if judge else "none"


def _short(value: Any) -> str:
    text = "unset" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
