"""A task file that is named and not installed: what it may hold, and what is said where it fails."""

import pytest

from bench.harness import Data, registry
from bench.harness.errors import BenchError, UnknownName

HEAD = """
from dataclasses import dataclass, replace
from bench.harness import Generate, Sample, Score, Task, Verdict
from bench.harness.stats import mean_of

@dataclass(frozen=True)
class Item:
    word: "str"

one = Task(
    "kin/a/x", 1, lambda data: [Sample("1", Item("dog").word)], lambda s: Generate(s.prompt),
    lambda s, response, resources: Score(Verdict.PASSED, {"a": 1.0}), {"a": mean_of("a")},
    groups={"family": "kin/*/old"}, reword=lambda s, typed: replace(s, prompt=typed(s.prompt)),
)
"""
TASKS = (
    HEAD
    + """
def tasks():
    yield one
    yield replace(one, name="kin/b/x", baseline="kin/a/x", groups={"family": "kin/*/new"})
"""
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(glob):
    return [task.name for task in registry.select(glob)]


def test_the_tasks_of_a_file_are_below_its_name(here):
    (here / "sub").mkdir()
    (here / "sub" / "mine.py").write_text(TASKS)
    both = ["file/sub/mine.py/kin/a/x", "file/sub/mine.py/kin/b/x"]
    assert names("file/sub/mine.py") == names("file/sub/mine.py/kin") == both
    assert names("file/sub/mine.py/kin/*/x") == both
    assert names("file/sub/mine.py/kin/b") == both[1:]
    assert names(f"file/{here}/sub/mine.py/kin/b/x") == [f"file/{here}/sub/mine.py/kin/b/x"]
    first, second = registry.select("file/sub/mine.py")
    assert second.baseline == first.name
    assert first.groups == {"family": "file/sub/mine.py/kin/*/old"}
    assert registry.recorded(both).keys() == set(both)


def test_its_hash_is_recorded_and_changes_with_it(here):
    hashes = []
    for text in (TASKS, TASKS + "\n"):
        (here / "mine.py").write_text(text)
        data = Data()
        for task in registry.select("file/mine.py"):
            assert [sample.prompt for sample in task.samples(data)] == ["dog"]
        hashes.append(data.hashes["file/mine.py"])
    assert len(set(hashes)) == 2


def test_it_may_have_typos(here):
    (here / "mine.py").write_text(TASKS)
    [task] = registry.select("typos/char_permute-3/file/mine.py/kin/a/x")
    assert task.baseline == "file/mine.py/kin/a/x"
    data = Data()
    [sample] = task.samples(data)
    assert sorted(sample.prompt) == sorted("dog")
    assert "file/mine.py" in data.hashes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import a_library_that_is_not_here", "mine.py:1: ModuleNotFoundError: No module named"),
        ("x = 1\ndef tasks(:\n", "mine.py:2: SyntaxError: invalid syntax"),
        ("x = 1\n\ndef tasks():\n    return 1 / 0\n", "mine.py:4: ZeroDivisionError"),
        ("raise SystemExit('leave')", "mine.py:1: SystemExit: leave"),
        ("tasks = 3", "TypeError: 'int' object is not callable"),
        ("def tasks(): yield 'add'", "`tasks` yields str, not Task"),
        ("def tasks(): return []", "no tasks. It needs a function `tasks`"),
        ("", "no tasks. It needs a function `tasks`"),
        ("\0", "mine.py: "),
        (HEAD + "def tasks(): return one, one", "two tasks are called 'kin/a/x'"),
    ],
)
def test_a_file_that_fails_is_one_line(here, text, said):
    (here / "mine.py").write_text(text)
    with pytest.raises(BenchError) as caught:
        names("file/mine.py")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_or_task_that_is_not_there_is_told(here):
    (here / "mine.py").write_text(TASKS)
    for name in ("file/theirs.py", "file/mine", "file/theirs.py/kin/a/x"):
        with pytest.raises(BenchError, match=rf"{name}: no such file"):
            names(name)
    with pytest.raises(UnknownName, match="Did you mean kin/a/x"):
        names("file/mine.py/kin/a/y")
    with pytest.raises(BenchError, match=r"FILE\.py/TASK: the tasks of a Python file of yours"):
        names("file")
