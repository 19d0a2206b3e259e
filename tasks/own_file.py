"""A task file of a user's own: `file/my_tasks.py/NAME` is the task NAME of that file.

The file has a function `tasks` that yields tasks, as a plugin has, so that it can become one as it
stands. It is one file: what it imports has to be installed. Its hash is recorded beside those of
the data, so that a run of a file that has changed since is refused.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from types import ModuleType

from bench.harness import Data, Sample, Task
from bench.harness.data import read_bytes
from bench.harness.errors import BenchError, UnknownName

SUFFIX = ".py"


def family(rest: str) -> Iterator[Task]:
    """FILE.py/TASK: the tasks of a Python file of yours, which need not be installed."""
    file, wanted = split(rest)
    content = read_bytes(file)
    found = loaded(file, content)
    chosen = [task for task in found if _matches(task.name, wanted)]
    if not chosen:
        raise UnknownName("task", wanted, [task.name for task in found], f"Look into {file}.")
    for task in chosen:
        yield _renamed(task, file, hashlib.sha256(content).hexdigest())


def split(rest: str) -> tuple[Path, str]:
    """Give the file that a name begins with, and what is wanted of it."""
    parts = rest.split("/")
    for count in range(1, len(parts) + 1):
        file = Path("/".join(parts[:count]))
        if file.suffix == SUFFIX and file.is_file():
            return file, "/".join(parts[count:])
    raise BenchError(f"file/{rest}: no such file. Name one from here that ends in {SUFFIX}.")


@cache
def loaded(file: Path, content: bytes) -> tuple[Task, ...]:
    """Run a file, just as it was read, and give its tasks.

    Raises:
        BenchError: the file fails, or has no tasks, or two of one name.

    """
    module = ModuleType(f"bench_task_file_{hashlib.sha256(content).hexdigest()[:12]}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # dataclasses look for it there
    try:
        exec(compile(content, file, "exec"), module.__dict__)  # noqa: S102 - what the user names
        tasks = tuple(module.__dict__["tasks"]()) if "tasks" in module.__dict__ else ()
    except BenchError:
        raise
    except (Exception, SystemExit) as problem:
        said = " ".join(f"{type(problem).__name__}: {problem}".split())
        raise BenchError(f"{file}:{_line(problem, file)} {said}.") from problem
    if not tasks:
        raise BenchError(f"{file}: no tasks. It needs a function `tasks` that yields some.")
    strange = [task for task in tasks if not isinstance(task, Task)]
    if strange:
        raise BenchError(f"{file}: `tasks` yields {type(strange[0]).__name__}, not Task.")
    names = [task.name for task in tasks]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BenchError(f"{file}: two tasks are called {twice[0]!r}. Rename one of them.")
    return tasks


def _line(problem: BaseException, file: Path) -> str:
    """Give the last line of the file that a problem came through, with a colon behind it."""
    if isinstance(problem, SyntaxError) and problem.filename == str(file):
        return f"{problem.lineno}:"
    number, at = 0, problem.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == str(file):
            number = at.tb_lineno
        at = at.tb_next
    return f"{number}:" if number else ""


def _renamed(task: Task, file: Path, digest: str) -> Task:
    """Put a task, its groups and its baseline below the file's name."""
    above = f"file/{file}/"
    return replace(
        task,
        name=f"{above}{task.name}",
        samples=partial(_samples, task, f"file/{file}", digest),
        groups={way: f"{above}{group}" for way, group in task.groups.items()},
        baseline=task.baseline and f"{above}{task.baseline}",
    )


def _samples(task: Task, name: str, digest: str, data: Data) -> Iterable[Sample]:
    data.hashes[name] = digest
    return task.samples(data)


def _matches(name: str, wanted: str) -> bool:
    parts = name.split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return not wanted or any(fnmatchcase(path, wanted) for path in above)
