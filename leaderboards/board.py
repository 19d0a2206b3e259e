"""Several runs side by side: what they measured, which numbers may be compared, and who is ahead.

Estimates are those that each run has written down. Runs that were not measured alike stand apart,
with the reason, and are never ranked together.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.harness import Metric, Task
from bench.harness.groups import Group, disjoint
from bench.leaderboards.comparability import reasons
from bench.leaderboards.runs import Run
from bench.leaderboards.standing import Contest, ranked


@dataclass(frozen=True, slots=True)
class Entry:
    """A task, or a group of tasks, as a column of the board."""

    name: str
    kind: Literal["task", "group"]
    by: str
    """the way of dividing a benchmark that a group comes from"""
    metrics: Sequence[str]
    """as the summaries name them; the primary one first, where there is one"""
    ranking: str
    """the task metric by which runs are ranked; empty where the tasks of a group have several"""
    lower_is_better: frozenset[str]
    shares: frozenset[str]
    """metrics whose values lie between 0 and 1"""
    tasks: Sequence[str]
    """of a group, as most runs have it"""
    about: str
    version: int | None
    baseline: str

    @property
    def first(self) -> str:
        """The metric that stands for the entry; empty where its tasks share none."""
        return self.metrics[0] if self.metrics else ""


@dataclass(frozen=True, slots=True)
class Class:
    """Runs whose numbers may stand side by side, by their positions."""

    runs: Sequence[int]
    why: str = ""
    """why they stand apart from the first class"""


@dataclass(frozen=True, slots=True)
class Board:
    """Runs and entries, which everything else names by their positions."""

    runs: Sequence[Run]
    entries: Sequence[Entry]
    """tasks first"""
    results: Sequence[Mapping[int, Mapping[str, Any]]]
    """for each run what its summary says of its entries"""
    classes: Mapping[int, Sequence[Class]]
    """for each entry the largest class first"""
    ranks: Mapping[int, Mapping[int, int]]
    """by entry and run: 1 + the runs of its class that are surely better (paired test, Holm over
    all pairs of the entry). Equal ranks cannot be told apart."""
    main: Sequence[int]
    """one entry for each benchmark: its whole group, else its only task"""


def board(runs: Sequence[Run], chosen: Callable[[Task], bool] = lambda _: True) -> Board:
    """Put runs side by side: the chosen tasks, and the groups whose tasks are all chosen.

    Raises:
        BenchError: the scores of a run are damaged.

    """
    tasks = [_tasks(run, chosen) for run in runs]
    groups = [_groups(run, some) for run, some in zip(runs, tasks, strict=True)]
    alike = {
        name: _classes_of_task(runs, name, [at for at, some in enumerate(tasks) if name in some])
        for name in _every(tasks)
    }
    together = {
        name: _classes_of_group(
            runs, {at: some[name] for at, some in enumerate(groups) if name in some}, alike
        )
        for name in _every(groups)
    }
    entries = [_task(runs[parts[0].runs[0]], name) for name, parts in alike.items()]
    described = {one.name: one for one in entries}
    entries += [_group(runs[parts[0].runs[0]], name, described) for name, parts in together.items()]
    classes = dict(enumerate([*alike.values(), *together.values()]))
    main = _main(entries)
    contests = [
        Contest(
            entry=at,
            tasks=one.tasks or [one.name],
            metric=one.ranking,
            classes=[part.runs for part in classes[at]],
            whatever_it_takes=one.kind == "group" or at in main,
        )
        for at, one in enumerate(entries)
        if one.ranking
    ]
    results = [
        _results(run, entries, {"task": some, "group": others})
        for run, some, others in zip(runs, tasks, groups, strict=True)
    ]
    return Board(runs, entries, results, classes, ranked(runs, contests), main)


def _tasks(run: Run, chosen: Callable[[Task], bool]) -> dict[str, Task]:
    """Give the chosen tasks of which the run has estimates."""
    said = run.summary["tasks"]
    return {
        name: task
        for name, task in run.tasks.items()
        if said.get(name, {}).get("metrics") and chosen(task)
    }


def _groups(run: Run, tasks: Container[str]) -> dict[str, Group]:
    """Give the groups of these tasks of which the run has estimates."""
    return {
        name: one
        for name, one in run.groups.items()
        if name in run.summary["groups"] and all(task in tasks for task in one.tasks)
    }


def _results(
    run: Run, entries: Sequence[Entry], known: Mapping[str, Container[str]]
) -> dict[int, Mapping[str, Any]]:
    return {
        at: run.summary[f"{one.kind}s"][one.name]
        for at, one in enumerate(entries)
        if one.name in known[one.kind]
    }


def _every(of_runs: Sequence[Mapping[str, object]]) -> list[str]:
    """Give all names that runs have, in their order."""
    return list(dict.fromkeys(name for names in of_runs for name in names))


def _classes_of_task(runs: Sequence[Run], name: str, having: Sequence[int]) -> list[Class]:
    """Divide the runs that have a task. Each is comparable with all others of its class."""
    parts: list[list[int]] = []
    for at in having:
        run = runs[at]
        for part in parts:
            # What is alike is so with all of them, but for imported runs, which do not say all.
            others = part if run.imported else part[:1] + [i for i in part if runs[i].imported]
            if not any(reasons(runs[other], run, name) for other in others):
                part.append(at)
                break
        else:
            parts.append([at])
    parts.sort(key=len, reverse=True)
    return [
        Class(part, "; ".join(_why(runs, parts[0], part, name)) if number else "")
        for number, part in enumerate(parts)
    ]


def _why(runs: Sequence[Run], first: Sequence[int], other: Sequence[int], name: str) -> list[str]:
    """Say why two classes of a task are two."""
    pairs = ((runs[one], runs[two]) for one in first for two in other)
    return next(why for one, two in pairs if (why := reasons(one, two, name)))


def _classes_of_group(
    runs: Sequence[Run], having: Mapping[int, Group], alike: Mapping[str, Sequence[Class]]
) -> list[Class]:
    """Divide the runs that have a group: alike are those with the same tasks, all of them alike."""
    found: defaultdict[tuple[tuple[str, int], ...], list[int]] = defaultdict(list)
    for at, group in having.items():
        key = tuple((task, _number(alike[task], at)) for task in sorted(group.tasks))
        found[key].append(at)
    parts = sorted(found.items(), key=lambda part: len(part[1]), reverse=True)
    most = dict(parts[0][0])
    return [
        Class(part, _why_group(runs, dict(key), most, (parts[0][1][0], part[0])) if number else "")
        for number, (key, part) in enumerate(parts)
    ]


def _number(classes: Sequence[Class], run: int) -> int:
    return next(number for number, one in enumerate(classes) if run in one.runs)


def _why_group(
    runs: Sequence[Run], ours: Mapping[str, int], most: Mapping[str, int], ends: tuple[int, int]
) -> str:
    if ours.keys() != most.keys():
        return f"other tasks: {len(ours.keys() & most.keys())} of {len(most)}" + (
            f" and {len(ours.keys() - most.keys())} more" if ours.keys() - most.keys() else ""
        )
    task = next(name for name in ours if ours[name] != most[name])
    why = reasons(runs[ends[0]], runs[ends[1]], task)
    return f"{task}: {'; '.join(why) or 'not measured alike'}"


def _task(run: Run, name: str) -> Entry:
    """Describe a task as a run has it."""
    task, said = run.tasks[name], run.summary["tasks"][name]["metrics"]
    metrics = [metric for metric in task.metrics if metric in said]
    return Entry(
        name=name,
        kind="task",
        by="",
        metrics=list(dict.fromkeys([*metrics, *said])),
        ranking=metrics[0] if metrics else "",
        lower_is_better=frozenset(m for m in metrics if task.metrics[m].lower_is_better),
        shares=frozenset(m for m in metrics if _is_share(task.metrics[m])),
        tasks=(),
        about=task.about,
        version=run.manifest["tasks"][name].get("version"),
        baseline=task.baseline if task.baseline in run.tasks else "",
    )


def _group(run: Run, name: str, tasks: Mapping[str, Entry]) -> Entry:
    """Describe a group as a run has it."""
    group, said = run.groups[name], list(run.summary["groups"][name]["metrics"])
    members = [tasks[task] for task in group.tasks]
    first = {one.ranking for one in members}
    ranking = first.pop() if len(first) == 1 else ""
    ranking = ranking if f"{ranking} (micro)" in said else ""
    return Entry(
        name=name,
        kind="group",
        by=group.by,
        metrics=sorted(said, key=lambda metric: _plain(metric) != ranking),
        ranking=ranking,
        lower_is_better=_of_all(said, [one.lower_is_better for one in members]),
        shares=_of_all(said, [one.shares for one in members]),
        tasks=group.tasks,
        about="",
        version=None,
        baseline="",
    )


def _plain(metric: str) -> str:
    return metric.removesuffix(" (micro)").removesuffix(" (macro)")


def _of_all(metrics: Sequence[str], kinds: Sequence[frozenset[str]]) -> frozenset[str]:
    """Give the metrics of a group that are of a kind in all of its tasks."""
    return frozenset(one for one in metrics if all(_plain(one) in kind for kind in kinds))


def _is_share(metric: Metric) -> bool:
    return (metric.low, metric.high) == (0, 1)


def _main(entries: Sequence[Entry]) -> list[int]:
    """Give the largest groups by name whose tasks rank alike, and the tasks that are in none.

    These are the wholes that a comparison tests first.
    """
    chosen = disjoint(
        {
            at: one.tasks
            for at, one in enumerate(entries)
            if one.kind == "group" and not one.by and one.ranking
        }
    )
    covered = {task for at in chosen for task in entries[at].tasks}
    alone = [at for at, one in enumerate(entries) if one.kind == "task" and one.name not in covered]
    return sorted(chosen + alone, key=lambda at: _first(entries, at))


def _first(entries: Sequence[Entry], at: int) -> int:
    """Give the place of an entry's first task, so that benchmarks stand as they were run."""
    names = {one.name: place for place, one in enumerate(entries) if one.kind == "task"}
    return min((names[task] for task in entries[at].tasks), default=at)
