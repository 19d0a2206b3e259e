"""Which tasks of a run are reported together: by their names, and as they say themselves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bench.harness.core import Task

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Group:
    """The tasks of a group by name, and the way of dividing a benchmark that it comes from."""

    tasks: tuple[str, ...]
    by: str = ""
    """empty for a group that is only the beginning of its tasks' names"""


def groups_of(tasks: Sequence[Task]) -> dict[str, Group]:
    """Give the groups of two tasks or more by name: those by name first, then by each way."""
    found = _by_name([task.name for task in tasks])
    for by, division in _divisions(tasks):
        for name, members in division.items():
            if name in found:
                found[name] = replace(found[name], by=by)
            elif len(members) > 1:
                found[name] = Group(tuple(members), by)
    return found


def disjoint(groups: Mapping[Key, Sequence[str]]) -> list[Key]:
    """Give groups that have no task in common, from their tasks: the largest first."""
    chosen, covered = list[Key](), set[str]()
    for key, tasks in sorted(groups.items(), key=lambda item: -len(item[1])):
        if not covered & {*tasks}:
            chosen.append(key)
            covered.update(tasks)
    return chosen


def _by_name(names: Sequence[str]) -> dict[str, Group]:
    """Give the groups that are proper prefixes of names.

    Of prefixes with the same tasks only the longest counts: a run of `xl/python/*` says nothing
    of `xl` as a whole.
    """
    below: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        parts = name.split("/")
        for depth in range(1, len(parts)):
            below["/".join(parts[:depth])].append(name)
    return {
        prefix: Group(tuple(members))
        for prefix, members in below.items()
        if len(members) > 1
        and not any(
            deeper.startswith(f"{prefix}/") and len(others) == len(members)
            for deeper, others in below.items()
        )
    }


def _divisions(tasks: Sequence[Task]) -> list[tuple[str, Mapping[str, list[str]]]]:
    """Give each way of dividing the tasks of a benchmark that says something of its own.

    One that leaves them together does not, nor one that divides them as an earlier one did.
    """
    divisions: defaultdict[tuple[str, str], defaultdict[str, list[str]]]
    divisions = defaultdict(lambda: defaultdict(list))
    for task in tasks:
        for by, group in task.groups.items():
            divisions[task.name.partition("/")[0], by][group].append(task.name)
    kept, seen = list[tuple[str, Mapping[str, list[str]]]](), set[frozenset[tuple[str, ...]]]()
    for (_, by), division in divisions.items():
        parts = frozenset(tuple(members) for members in division.values())
        if len(parts) > 1 and parts not in seen:
            seen.add(parts)
            kept.append((by, division))
    return kept
