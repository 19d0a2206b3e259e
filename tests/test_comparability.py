"""Which numbers of two runs may stand side by side, and why others may not."""

import json

import pytest
from run_folders import SAMPLING, task, write_run

from bench.leaderboards.comparability import reasons
from bench.leaderboards.runs import open_run, open_runs

VALUES = {"xl/python/English": {"s1": 1.0, "s2": 0.0}}
[NAME] = VALUES


def opened(folder, name, **manifest):
    run = write_run(folder / name, VALUES, model=name)
    written = json.loads((run / "manifest.json").read_text()) | manifest
    (run / "manifest.json").write_text(json.dumps(written))
    return open_run(run)


def tasks(**entry):
    return {NAME: {"version": 1, "samples": 2, "prompts": "p"} | entry}


@pytest.mark.parametrize(
    ("base", "candidate", "reason"),
    [
        ({}, {"model": {"name": "b", "chat_template": "other"}}, None),
        ({}, {"format": "chat"}, "asked in completion form and in chat form"),
        ({}, {"sampling": SAMPLING | {"temperature": 0.8}}, "temperature unset and 0.8"),
        ({}, {"sampling": SAMPLING | {"seed": 7}}, None),
        ({"tasks": tasks()}, {"tasks": tasks(version=2)}, "task version 1 and 2"),
        ({"tasks": tasks()}, {"tasks": tasks(prompts="q")}, "the prompts differ"),
        ({"data": {"xl/a": "1"}}, {"data": {"xl/a": "2"}}, "the data file xl/a differs"),
        ({"data": {"other/a": "1"}}, {"data": {"other/a": "2"}}, None),
        ({"judge": {"name": "j"}}, {"judge": {"name": "k"}}, "judged by j and by k"),
        ({"imported": "lm-eval"}, {"format": "chat"}, "asked in completion form and in chat form"),
        ({"imported": "lm-eval", "format": None}, {"format": "chat"}, None),
    ],
    ids=str,
)
def test_what_belongs_to_the_measurement_may_not_differ(tmp_path, base, candidate, reason):
    found = reasons(opened(tmp_path, "a", **base), opened(tmp_path, "b", **candidate), NAME)
    assert len(found) == (reason is not None)
    assert reason is None or found[0].startswith(reason)


def test_other_samples_stand_side_by_side_only_where_they_are_paired(tmp_path):
    base = opened(tmp_path, "a")
    candidate = opened(tmp_path, "b", sampling=SAMPLING | {"limit": 1})
    assert reasons(base, candidate, NAME) == ["not the same samples (--limit or --shuffle)"]
    assert reasons(base, candidate, NAME, paired=True) == []


def test_a_task_that_one_run_lacks_is_said_to_be_missing_there(tmp_path):
    base, candidate = opened(tmp_path, "a"), opened(tmp_path, "b")
    assert reasons(base, candidate, "none") == ["not run by a or b"]


def test_runs_of_one_name_are_told_apart(tmp_path):
    folders = [tmp_path / "x" / "run", tmp_path / "y" / "run", tmp_path / "z"]
    for folder in folders:
        write_run(folder, VALUES, model="tiny")
    names = [run.name for run in open_runs(folders)]
    assert names == [f"tiny ({folders[0]})", f"tiny ({folders[1]})", "tiny (z)"]


def test_a_task_that_is_not_installed_keeps_its_bounds_and_its_sense(tmp_path):
    kinds = [
        task(NAME, "bleu", high=100.0),
        task("cost", "cost", low=0.0, high=None, lower_is_better=True),
    ]
    values = VALUES | {"cost": {"s1": 7.0, "s2": 3.0}}
    run = open_run(write_run(tmp_path / "run", values, tasks=kinds))
    bleu, cost = run.tasks[NAME].metrics["bleu"], run.tasks["cost"].metrics["cost"]
    assert (bleu.low, bleu.high, bleu.lower_is_better) == (0.0, 100.0, False)
    assert (cost.low, cost.high, cost.lower_is_better) == (0.0, None, True)
    assert json.loads((run.folder / "summary.json").read_text())["tasks"]["cost"]["bounds"] == {
        "cost": [0.0, None]
    }
