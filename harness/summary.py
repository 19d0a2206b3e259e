"""Score records to the content of summary.json: estimates, verdicts and rates."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from statistics import fmean
from typing import Any

from bench.harness.cells import Cell, cells_of
from bench.harness.core import Estimate, Metric, Task, Verdict
from bench.harness.gaps import Pairs, adjust, alike, common_name, gap, joined, pair
from bench.harness.groups import Group, groups_of
from bench.harness.pooling import Side, macro, micro
from bench.harness.stats import estimate


def summarize(
    tasks: Sequence[Task],
    scores: Iterable[dict[str, Any]],
    draws: int,
    responses: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Give the estimates, verdict counts and rates of tasks and groups of tasks, as plain JSON.

    `scores` are the records of scores.jsonl, in any order; the last one counts where a draw was
    scored again, and those of other tasks are passed over. A sample that lacks a value in one of
    its `draws` is unscored: it stays in n and widens the interval. With the `responses`, gaps say
    how many tokens more the model read.
    """
    cells = cells_of(tasks, scores, draws)
    groups = groups_of(tasks)
    summary: dict[str, dict[str, Any]] = {
        "tasks": {
            name: {"metrics": _alone(cell), **_kinds(cell), **_counts([cell])}
            for name, cell in cells.items()
        },
        "groups": {name: _group(group, cells) for name, group in groups.items()},
    }
    baselines = {task.name: task.baseline for task in tasks if task.baseline in cells}
    compared = {*baselines, *baselines.values()}
    pairs = _pairs(cells, baselines, _read(responses, compared) if baselines else {})
    _add_gaps(summary, pairs, groups, baselines, draws)
    return summary


def _group(group: Group, cells: Mapping[str, Cell]) -> dict[str, Any]:
    members = [cells[name] for name in group.tasks]
    counts = _counts(members)
    return {"metrics": _pooled(members), **counts, "tasks": len(members), "by": group.by}


def _read(
    responses: Iterable[Mapping[str, Any]], names: Container[str]
) -> dict[str, dict[str, int]]:
    """Give the tokens of prompts by task and sample; what was not counted is left out."""
    read: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for record in responses:
        if record["task"] in names and record["prompt_tokens"]:
            read[record["task"]][record["sample"]] = record["prompt_tokens"]
    return read


def _pairs(
    cells: Mapping[str, Cell],
    baselines: Mapping[str, str],
    read: Mapping[str, Mapping[str, int]],
) -> dict[str, Pairs]:
    return {
        name: pair(cells[name], cells[to], read.get(name, {}), read.get(to, {}))
        for name, to in baselines.items()
    }


def _add_gaps(
    summary: Mapping[str, dict[str, Any]],
    pairs: Mapping[str, Pairs],
    groups: Mapping[str, Group],
    baselines: Mapping[str, str],
    draws: int,
) -> None:
    """Add the gap to their baselines to the tasks and groups that have one.

    p-values are corrected over the tasks of one baseline, and over the groups of one division.
    """
    families: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for name, to in baselines.items():
        summary["tasks"][name]["gap"] = one = gap(pairs[name], to, draws)
        families["baseline", to].append(one)
    for name, group in groups.items():
        members = [member for member in group.tasks if member in pairs]
        if members:
            to = common_name(baselines[member] for member in members)
            one = gap(joined([pairs[member] for member in members]), to, draws)
            summary["groups"][name]["gap"] = one
            families[name.partition("/")[0], group.by or name].append(one)
    for family in families.values():
        adjust(family)


def _alone(cell: Cell) -> dict[str, dict[str, Any]]:
    return {
        name: asdict(
            micro([Side(cell.keys, cell.rows[name])], metric)
            if metric.pool
            else estimate(cell.columns[name], cell.keys, low=metric.low, high=metric.high)
        )
        for name, metric in cell.metrics.items()
    }


def _kinds(cell: Cell) -> dict[str, Any]:
    """Name the metrics of which less is better, and give the bounds of those that are no shares."""
    kinds = {
        "lower_is_better": [name for name, one in cell.metrics.items() if one.lower_is_better],
        "bounds": {
            name: [one.low, one.high]
            for name, one in cell.metrics.items()
            if (one.low, one.high) != (0, 1)
        },
    }
    return {name: kind for name, kind in kinds.items() if kind}


def _pooled(cells: Sequence[Cell]) -> dict[str, dict[str, Any]]:
    """Give the micro and macro estimates of the metrics that all cells share."""
    pooled = {}
    for name, metric in cells[0].metrics.items():
        if all(name in cell.metrics and alike(cell.metrics[name], metric) for cell in cells):
            both = _of_rows if metric.pool else _of_means
            every, each = both(name, metric, cells)
            pooled[f"{name} (micro)"] = asdict(every)
            pooled[f"{name} (macro)"] = asdict(each)
    return pooled


def _of_rows(name: str, metric: Metric, cells: Sequence[Cell]) -> tuple[Estimate, Estimate]:
    sides = [Side(cell.keys, cell.rows[name]) for cell in cells]
    return micro(sides, metric), macro(sides, metric)


def _of_means(name: str, metric: Metric, cells: Sequence[Cell]) -> tuple[Estimate, Estimate]:
    values = [value for cell in cells for value in cell.columns[name]]
    keys = [key for cell in cells for key in cell.keys]
    shares = [1 / len(cell.keys) for cell in cells for _ in cell.keys]
    every = estimate(values, keys, low=metric.low, high=metric.high)
    if len(set(shares)) == 1 and None not in values:
        return every, every
    each = estimate(values, keys, shares, low=metric.low, high=metric.high)
    if None in values:  # a task weighs the same however many of its samples were scored
        columns = [[v for v in cell.columns[name] if v is not None] for cell in cells]
        means = [fmean(scored) for scored in columns if scored]
        each = replace(each, value=fmean(means) if means else None)
    return every, each


def _counts(cells: Sequence[Cell]) -> dict[str, Any]:
    """Give verdict counts, rates over all draws, and how many samples lack a value."""
    draws = [draw for cell in cells for draw in cell.draws]
    verdicts = Counter(draw.verdict for draw in draws)
    hits = {
        "truncated": sum(draw.cut for draw in draws),
        "empty": sum(draw.empty for draw in draws),
        "no_answer": verdicts[Verdict.NO_ANSWER],
        "infrastructure_error": verdicts[Verdict.INFRASTRUCTURE_ERROR],
    }
    return {
        "verdicts": {verdict.value: verdicts[verdict] for verdict in Verdict if verdicts[verdict]},
        "rates": {name: hit / max(len(draws), 1) for name, hit in hits.items()},
        "unscored": sum(
            None in row
            for cell in cells
            for row in zip(*cell.columns.values(), *cell.rows.values(), strict=True)
        ),
    }
