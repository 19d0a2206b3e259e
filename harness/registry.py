"""What is installed: tasks, commands and sandboxes, by the entry points of distributions.

The package's own tasks come through the same door as everybody else's. A family is a source of
tasks that makes them when their names are asked for: `lm_eval/gsm8k` is what the family `lm_eval`
makes of `gsm8k`. `*` stands for all tasks, but not for those that families could make.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from bench.harness.core import Task
from bench.harness.errors import BenchError, DuplicateName, UnknownName


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that could not be used, and why."""

    distribution: str
    entry: str
    reason: str


def tasks(group: str = "bench.tasks") -> dict[str, Task]:
    """Give every task of every installed plugin by name, ordered by distribution and plugin.

    A plugin that fails is left out, with one line on stderr.

    Raises:
        DuplicateName: two plugins provide a task of the same name.

    """
    found, broken = _load(group)
    for plugin in broken:
        _warn(plugin)
    return found


def select(globs: str | Sequence[str]) -> list[Task]:
    """Give the tasks that match any glob, in the order of `tasks`.

    A glob is matched against a task's name and against each group above it, so that the name of
    a group stands for all that is below it; so does the name of any other group, written in full.
    Where the first part is a family, the family reads the rest of it, and its tasks come last.
    Several globs may share a string, with commas between.

    Raises:
        UnknownName: a glob matches nothing.
        BenchError: there is no glob, or a family cannot make what is asked of it.

    """
    texts = [globs] if isinstance(globs, str) else globs
    wanted = [part.strip().rstrip("/") for text in texts for part in text.split(",")]
    wanted = [glob for glob in wanted if glob]
    if not wanted:
        raise BenchError("No task is named. `bench tasks` lists them; * stands for all of them.")
    makers = families()
    found, made = tasks(), dict[str, Task]()
    picked: set[str] = set()
    for glob in wanted:
        if glob.partition("/")[0] in makers:
            made |= {task.name: task for task in _made(makers, glob)}
            continue
        hits = {name for name, task in found.items() if matches(task, glob)}
        if not hits:
            raise _unknown(glob, {*found, *makers}, found.values())
        picked |= hits
    return [task for name, task in found.items() if name in picked] + list(made.values())


def named(names: Iterable[str]) -> dict[str, Task]:
    """Give the tasks of these names, those of families included; what is not there is left out.

    Raises:
        BenchError: a family cannot make a task of a name that begins with its own.

    """
    makers, found = families(), tasks()
    wanted = dict.fromkeys(names)
    made = [
        task for name in wanted if name.partition("/")[0] in makers for task in _made(makers, name)
    ]
    found |= {task.name: task for task in made}
    return {name: found[name] for name in wanted if name in found}


def recorded(names: Iterable[str]) -> dict[str, Task]:
    """Give all the tasks of these names, as a manifest has them.

    Raises:
        BenchError: one of them is not installed, or its family cannot make it.

    """
    wanted = list(names)
    known = named(wanted)
    missing = [name for name in wanted if name not in known]
    if missing:
        raise BenchError(f"The task {missing[0]!r} is not installed here. Install its package.")
    return known


def families() -> dict[str, EntryPoint]:
    """Give the families of all installed distributions by name, not yet imported."""
    return _by_name("bench.families")


def about(family: EntryPoint) -> str:
    """Give the line in which a family says what tasks it makes."""
    try:
        maker = family.load()
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - plugins fail in any way
        return f"cannot be used ({_said(problem)})"
    return (maker.__doc__ or "").strip().partition("\n")[0]


def commands() -> dict[str, EntryPoint]:
    """Give the commands of all installed distributions by name, not yet imported."""
    return _by_name("bench.commands")


def sandboxes() -> dict[str, EntryPoint]:
    """Give the sandboxes of all installed distributions by name, not yet imported."""
    return _by_name("bench.sandboxes")


def _load(group: str) -> tuple[dict[str, Task], list[Broken]]:
    found: dict[str, Task] = {}
    broken: list[Broken] = []
    origin: dict[str, EntryPoint] = {}
    for point in _points(group):
        try:
            provided = _provided(point)
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - plugins fail in any way
            broken.append(Broken(_distribution(point), point.name, _said(problem)))
            continue
        for task in provided:
            if task.name in found:
                first = _label(origin[task.name])
                raise DuplicateName(
                    f"The task {task.name!r} is provided twice: by {first} and by "
                    f"{_label(point)}. Uninstall one of them, or rename its task."
                )
            found[task.name] = task
            origin[task.name] = point
    return found, broken


def _provided(point: EntryPoint) -> list[Task]:
    """Give all tasks of a plugin, or fail: half a plugin would be half a benchmark."""
    provided = list(point.load()())
    _check(provided, point)
    return provided


def _made(makers: Mapping[str, EntryPoint], glob: str) -> list[Task]:
    """Give what a family makes of a name or glob that begins with its own name."""
    family, _, rest = glob.partition("/")
    point = makers[family]
    if not rest:
        raise BenchError(f"{family}: {about(point)} Name one of them as {family}/NAME.")
    try:
        made = list(point.load()(rest))
        _check(made, point, f"{family}/")
    except BenchError:
        raise
    except (Exception, SystemExit) as problem:
        said = f"the family {family!r} of {_distribution(point)} failed ({_said(problem)})"
        raise BenchError(f"{glob}: {said}.") from problem
    return made


def _check(provided: Iterable[Task], point: EntryPoint, beginning: str = "") -> None:
    for task in provided:
        if not isinstance(task, Task):
            raise TypeError(f"{point.value} yields {type(task).__name__}, not Task")
        if not task.name.startswith(beginning):
            raise ValueError(f"{task.name} does not begin with {beginning}")
        # A variant made from another benchmark's task would mix into the groups of that one.
        top = f"{task.name.partition('/')[0]}/"
        strange = [group for group in task.groups.values() if not group.startswith(top)]
        if strange:
            raise ValueError(f"{task.name} is in the group {strange[0]}, which is not below {top}")


def _said(problem: BaseException) -> str:
    return " ".join(f"{type(problem).__name__}: {problem}".split())


def _points(group: str) -> list[EntryPoint]:
    """Give entry points in an order that does not hang on the folders of this machine."""
    return sorted(entry_points(group=group), key=lambda point: (_distribution(point), point.name))


def _by_name(group: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in _points(group):
        if point.name in found:
            raise DuplicateName(
                f"{group} {point.name!r} is provided twice: by {_label(found[point.name])} and by "
                f"{_label(point)}. Uninstall one of them."
            )
        found[point.name] = point
    return found


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "?"


def _label(point: EntryPoint) -> str:
    return f"{_distribution(point)} ({point.value})"


def _paths(name: str) -> list[str]:
    """Give a task's name after the groups above it: a, a/b, a/b/c."""
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def matches(task: Task, glob: str) -> bool:
    """Tell whether a glob means a task: by its name, a group above it, or another of its groups."""
    return means(glob, task.name) or glob in task.groups.values()


def means(glob: str, name: str) -> bool:
    """Tell whether a glob means what has a name: by that, or by the name of a group above it."""
    return any(path == glob or fnmatchcase(path, glob) for path in _paths(name))


def _unknown(glob: str, names: Iterable[str], found: Iterable[Task]) -> UnknownName:
    known = dict.fromkeys(path for name in sorted(names) for path in _paths(name))
    known |= dict.fromkeys(group for task in found for group in task.groups.values())
    _, broken = _load("bench.tasks")
    suspects = ", ".join(f"{plugin.entry} of {plugin.distribution}" for plugin in broken)
    where = f"It may belong to a plugin that failed: {suspects}." if suspects else ""
    return UnknownName("task", glob, known, where or "`bench tasks` lists them all.")


@cache
def _warn(plugin: Broken) -> None:
    sys.stderr.write(
        f"bench: skipped the plugin {plugin.entry!r} of {plugin.distribution}: {plugin.reason}\n"
    )
