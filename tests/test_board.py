"""Runs side by side: what is comparable, who is ahead, and that both are as `compare` says."""

import json
import random
from itertools import combinations

import pytest
from command_line import bench, lines
from run_folders import SAMPLING, task, write_run

from bench.harness import registry
from bench.harness.stats import holm
from bench.harness.store import MANIFEST, SCORES, SUMMARY, write_json
from bench.harness.summary import summarize
from bench.leaderboards.board import board
from bench.leaderboards.comparison import compare
from bench.leaderboards.runs import open_runs

PARTS = "xl/go/en", "xl/go/de", "xl/python/en", "xl/python/de"


def drawn(seed, chance, n=40, tasks=PARTS):
    """Values of clustered samples: a problem in several tasks."""
    rng = random.Random(seed)
    hard = [random.Random(at).uniform(-0.3, 0.3) for at in range(n)]
    return {
        name: {f"{at}": (float(rng.random() < chance + hard[at]), f"p/{at}") for at in range(n)}
        for name in tasks
    }


def boarded(*folders):
    return board(open_runs(folders))


def entry(found, name, kind="task"):
    return next(at for at, one in enumerate(found.entries) if (one.name, one.kind) == (name, kind))


def expected(folders, name, metric):
    """Rank by the p-values of `compare` alone."""
    runs = open_runs(folders)
    pairs = list(combinations(range(len(runs)), 2))
    found = []
    for one, two in pairs:
        both = compare(runs[one], runs[two])
        found.append((both.groups.get(name) or both.tasks[name])[metric])
    corrected = holm([1.0 if one.p is None else one.p for one in found])
    behind = [0] * len(runs)
    for (one, two), difference, p in zip(pairs, found, corrected, strict=True):
        if p <= 0.05 and difference.gain:
            behind[one if difference.gain > 0 else two] += 1
    return {run: 1 + better for run, better in enumerate(behind)}


def test_ranks_are_those_of_paired_comparisons(tmp_path):
    chances = 0.35, 0.4, 0.6, 0.62, 0.9
    folders = [
        write_run(tmp_path / f"{at}", drawn(at, chance), model=f"m{at}")
        for at, chance in enumerate(chances)
    ]
    found = boarded(*folders)
    for at, one in enumerate(found.entries):
        assert found.ranks[at] == expected(folders, one.name, "acc"), one.name
    ranks = found.ranks[entry(found, "xl", "group")]
    assert ranks[4] == 1
    assert ranks[2] == ranks[3] == 2, "equal ranks cannot be told apart"
    assert [found.entries[at].name for at in found.main] == ["xl"]


@pytest.mark.parametrize("less", [False, True])
def test_ranks_of_values_between_and_of_samples_without_a_score(tmp_path, less):
    kind = task("t", lower_is_better=less)
    folders = []
    for run in range(3):
        rng = random.Random(run)
        values = {f"{at}": rng.uniform(0.3 * run, 0.3 * run + 0.4) for at in range(30)}
        values["3"] = None if run == 1 else values["3"]
        folders.append(write_run(tmp_path / f"{run}", {"t": values}, f"m{run}", [kind]))
    found = boarded(*folders)
    assert found.ranks[0] == expected(folders, "t", "acc")
    assert set(found.ranks[0].values()) == {1, 2, 3}
    assert found.ranks[0][0] == (1 if less else 3)


def test_a_pooled_metric_is_ranked_by_the_same_test(tmp_path):
    pooled = registry.tasks()["pandalm"]
    assert pooled.metrics["accuracy"].pool
    folders = []
    for run, right in enumerate((0.55, 0.95, 0.95)):
        rng = random.Random(run)
        values = {f"{at}": float(rng.random() < right) for at in range(60)}
        folder = write_run(tmp_path / f"{run}", {"pandalm": values}, f"m{run}")
        scores = lines(folder / SCORES)
        for one in scores:
            said = 1.0 if one["values"]["acc"] else 2.0
            one["values"] = {"said": said, "label": 1.0}
        (folder / SCORES).write_text("".join(json.dumps(one) + "\n" for one in scores))
        written = json.loads((folder / MANIFEST).read_text())
        written["tasks"]["pandalm"]["version"] = pooled.version
        write_json(folder / MANIFEST, written)
        write_json(folder / SUMMARY, summarize([pooled], scores, 1))
        folders.append(folder)
    found = boarded(*folders)
    assert found.ranks[0] == expected(folders, "pandalm", "accuracy") == {0: 3, 1: 1, 2: 1}


def test_runs_that_were_not_measured_alike_stand_apart(tmp_path):
    values = drawn(1, 0.5)
    same = [write_run(tmp_path / n, values, n) for n in ("a", "b")]
    cut = write_run(tmp_path / "c", values, "c", sampling=SAMPLING | {"temperature": 1.0})
    part = write_run(tmp_path / "d", {name: values[name] for name in PARTS[:3]}, "d")
    found = boarded(cut, *same, part)
    at = entry(found, PARTS[0])
    assert [list(one.runs) for one in found.classes[at]] == [[1, 2, 3], [0]]
    assert found.classes[at][0].why == ""
    assert "temperature" in found.classes[at][1].why
    assert set(found.ranks[at]) == {1, 2, 3}, "one that stands alone has no rank"
    whole = entry(found, "xl", "group")
    assert [list(one.runs) for one in found.classes[whole]] == [[1, 2], [0], [3]]
    assert "temperature" in found.classes[whole][1].why
    assert found.classes[whole][2].why == "other tasks: 3 of 4"


def test_runs_without_a_common_sample_share_a_rank(tmp_path):
    one = write_run(tmp_path / "a", {"t": {"1": 1.0, "2": 1.0}}, "a", imported="predictions")
    two = write_run(tmp_path / "b", {"t": {"3": 0.0, "4": 0.0}}, "b", imported="predictions")
    found = boarded(one, two)
    assert set(found.ranks.get(0, {0: 1}).values()) == {1}


def test_all_samples_equal(tmp_path):
    values = {"t": {f"{at}": 1.0 for at in range(9)}}
    found = boarded(write_run(tmp_path / "a", values), write_run(tmp_path / "b", values))
    assert found.ranks[0] == {0: 1, 1: 1}
    assert len({run.name for run in found.runs}) == 2, "two runs of one model have two names"


def test_a_task_and_a_group_of_one_name(tmp_path):
    values = {name: {"1": 1.0, "2": 0.0} for name in ("a", "a/b", "a/c")}
    found = boarded(write_run(tmp_path / "r", values))
    assert entry(found, "a") != entry(found, "a", "group")
    assert {found.entries[at].name for at in found.main} == {"a"}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [("xl/go", {"xl/go", "xl/go/en", "xl/go/de"}), ("*/de", {"xl/go/de", "xl/python/de"})],
)
def test_only_some_tasks(tmp_path, wanted, names):
    run = write_run(tmp_path / "r", drawn(1, 0.5))
    done = bench(
        *("leaderboard", run, "--out", tmp_path / "o", "--format", "json", "--task", wanted)
    )
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "o" / "leaderboard.json").read_text())
    assert {one["name"] for one in said["entries"]} == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{}/nowhere"], "no such folder"),
        (["{}"], "not a run"),
        (["{}/r", "{}/r"], "named twice"),
        (["{}/r", "--task", "nothing"], "no task of these runs"),
        (["{}/half"], "not finished"),
    ],
)
def test_mistakes_are_one_line(tmp_path, arguments, said):
    write_run(tmp_path / "r", {"t": {"1": 1.0}})
    half = write_run(tmp_path / "half", {"t": {"1": 1.0}})
    (half / "summary.json").unlink()
    arguments = [one.replace("{}", str(tmp_path)) for one in arguments]
    done = bench("leaderboard", *arguments, "--out", tmp_path / "o", "--format", "csv")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "o").exists()
