"""Numbers of other programs as runs: lm-eval's own files, and files of predictions."""

import json
import os
import subprocess
import sys

import lm_eval_folder
import pytest
from command_line import bench, lines
from run_folders import task, write_run

from bench.harness import Data, registry
from bench.leaderboards.board import board
from bench.leaderboards.comparison import compare
from bench.leaderboards.runs import open_run, open_runs

EVALUATION = """
import sys

from lm_eval import simple_evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

tracker = EvaluationTracker(output_path=sys.argv[2])
found = simple_evaluate(
    model="dummy",
    tasks=sys.argv[3:],
    task_manager=TaskManager(include_path=sys.argv[1], include_defaults=False),
    evaluation_tracker=tracker,
    bootstrap_iters=20,
)
samples = found.pop("samples")
tracker.save_results_aggregated(results=found, samples=samples)
for name, rows in samples.items():
    tracker.save_results_samples(task_name=name, samples=rows)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What lm-eval itself writes for its own dummy model."""
    tasks = lm_eval_folder.write(tmp_path_factory.mktemp("tasks"))
    out = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-c", EVALUATION, tasks, out, *lm_eval_folder.TASKS]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    [file] = out.rglob("results_*.json")
    return file


@pytest.fixture(scope="module")
def imported(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("imported") / "run"
    done = bench("import", results.parent, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)
    return out


def test_every_number_of_lm_eval_arrives(results, imported):
    theirs = json.loads(results.read_text())["results"]
    ours = json.loads((imported / "summary.json").read_text())["tasks"]
    for name, numbers in theirs.items():
        metrics = ours[f"lm_eval/{name}"]["metrics"]
        stated = {
            key: value for key, value in numbers.items() if "," in key and "_stderr," not in key
        }
        assert {key: metrics[key]["value"] for key in stated} == pytest.approx(stated)
        assert all(one["n"] == 6 for one in metrics.values())


def test_means_have_their_samples_and_other_numbers_their_error(imported):
    entry = json.loads((imported / "summary.json").read_text())["tasks"]["lm_eval/choice"]
    assert {"f1,none", "mcc,none", "brier_score,none"} == set(entry["reported"])
    assert entry["lower_is_better"] == ["brier_score,none"]
    numbers = entry["metrics"]["mcc,none"]
    assert numbers["low"] < numbers["value"] < numbers["high"]
    unknown = entry["metrics"]["f1,none"]
    assert unknown["low"] is unknown["high"] is None, "a standard error of 0 says nothing"
    rows = [one for one in lines(imported / "scores.jsonl") if one["task"] == "lm_eval/choice"]
    assert {one["sample"] for one in rows} == {str(at) for at in range(6)}
    mean = sum(one["values"]["acc,none"] for one in rows) / 6
    assert entry["metrics"]["acc,none"]["value"] == pytest.approx(mean)
    written = [one["task"] for one in lines(imported / "responses.jsonl")]
    assert set(written) == {"lm_eval/write"}, "only what a model wrote is a text"


def test_show_says_that_it_is_imported(imported):
    assert "imported from lm-eval" in bench("show", imported).stdout


def test_it_is_paired_with_a_run_of_ours_sample_by_sample(imported, tmp_path):
    values = {"lm_eval/choice": {str(at): 1.0 for at in range(6)}}
    ours = write_run(
        tmp_path / "ours", values, tasks=[task("lm_eval/choice", "acc,none")], format="completion"
    )
    runs = open_runs([imported, ours])
    found = compare(*runs)
    assert found.tasks["lm_eval/choice"]["acc,none"].n == 6
    assert found.tasks["lm_eval/choice"]["acc,none"].unpaired == 0
    together = board(runs)
    at = [one.name for one in together.entries].index("lm_eval/choice")
    assert len(together.classes[at]) == 1
    assert set(together.ranks[at]) == {0, 1}


def test_other_shots_stand_apart(imported, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    for name in ("manifest.json", "summary.json", "scores.jsonl", "responses.jsonl"):
        (again / name).write_bytes((imported / name).read_bytes())
    written = json.loads((again / "manifest.json").read_text())
    written["tasks"]["lm_eval/choice"]["fewshot"] = 5
    (again / "manifest.json").write_text(json.dumps(written))
    together = board(open_runs([imported, again]))
    at = [one.name for one in together.entries].index("lm_eval/choice")
    assert together.classes[at][1].why == "2 and 5 examples before a question"


def test_results_without_samples_are_shown_and_not_compared(results, tmp_path):
    alone = tmp_path / "results.json"
    alone.write_bytes(results.read_bytes())
    done = bench("import", alone, "--out", tmp_path / "run")
    assert done.returncode == 0
    assert "are not compared" in done.stderr
    run = open_run(tmp_path / "run")
    numbers = run.summary["tasks"]["lm_eval/choice"]["metrics"]["acc,none"]
    stated = json.loads(results.read_text())["results"]["choice"]
    half = 1.96 * stated["acc_stderr,none"]
    assert numbers["high"] == pytest.approx(stated["acc,none"] + half)
    assert numbers["low"] == pytest.approx(max(stated["acc,none"] - half, 0))
    assert numbers["n"] == 6
    done = bench("leaderboard", tmp_path / "run", "--out", tmp_path / "o", "--format", "markdown")
    assert done.returncode == 0, done.stderr
    assert "imported from lm-eval" in (tmp_path / "o" / "leaderboard.md").read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[1] | {"acc": float("nan")}, ":2: 'acc' is nan"),
        (lambda rows: rows[0], ":2: doc_id 0 is in line 1 already"),
        (lambda rows: {"x": 1}, ":2: no 'doc_id'"),
        (lambda rows: [1], ":2: not a JSON object"),
    ],
)
def test_damaged_samples_are_named_by_line(results, tmp_path, change, said):
    name = next(file for file in results.parent.glob("samples_contexts_*"))
    rows = lines(name)
    rows[1] = change(rows)
    (tmp_path / results.name).write_bytes(results.read_bytes())
    (tmp_path / name.name).write_text("".join(json.dumps(one) + "\n" for one in rows))
    done = bench("import", tmp_path, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert f"{name.name}{said}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
    assert len(list(tmp_path.iterdir())) == 2, "nothing is left lying"


def test_predictions_are_scores_of_samples(tmp_path):
    file = tmp_path / "old.csv"
    file.write_text("\ufeffid,score,group\n1,1,p\n2,0.5,p\n3,,q\n4,true,q\n", encoding="utf-8")
    done = bench("import", file, "--task", "own/<b>", "--model", "old|one", "--out", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    run = open_run(tmp_path / "r")
    entry = run.summary["tasks"]["own/<b>"]
    assert entry["unscored"] == 1
    assert entry["metrics"]["score"]["n"] == 4
    assert entry["metrics"]["score"]["value"] == pytest.approx(2.5 / 3)
    assert run.name == "old|one"
    assert {one["group"] for one in lines(tmp_path / "r" / "scores.jsonl")} == {"p", "q"}


def test_predictions_are_compared_with_a_run(tmp_path):
    file = tmp_path / "old.jsonl"
    file.write_text("".join(json.dumps({"id": str(i), "score": 0}) + "\n" for i in range(12)))
    bench("import", file, "--task", "t", "--metric", "acc", "--out", tmp_path / "old")
    ours = write_run(tmp_path / "ours", {"t": {str(i): 1.0 for i in range(12)}})
    said = json.loads(bench("compare", tmp_path / "old", ours, "--json").stdout)
    one = said["tasks"]["t"]["metrics"]["acc"]
    assert (one["value"], one["p"], one["verdict"]) == (1.0, 2 * 0.5**12, "better")
    assert said["base"]["imported"]
    together = board(open_runs([tmp_path / "old", ours]))
    assert together.ranks[0] == {0: 2, 1: 1}


def test_less_may_be_better(tmp_path):
    file = tmp_path / "old.jsonl"
    file.write_text('{"id": 1, "score": 12.5}\n{"id": 2, "score": 0}\n')
    flags = ["--task", "t", "--metric", "errors", "--lower-is-better", "--out", tmp_path / "r"]
    assert bench("import", file, *flags).returncode == 0
    run = open_run(tmp_path / "r")
    metric = run.tasks["t"].metrics["errors"]
    assert metric.lower_is_better
    assert (metric.low, metric.high) == (None, None)


def test_answers_are_scored_by_the_task_itself(tmp_path):
    name, answers = "quickstart/tokenization/reverse", tmp_path / "answers.csv"
    [chosen] = registry.select(name)
    samples = list(chosen.samples(Data(None)))
    rows = [f"{one.id},{one.target}\n" for one in samples[:-1]] + [f"{samples[-1].id},no\n"]
    answers.write_text("id,answer\n" + "".join(rows))
    done = bench("import", answers, "--task", name, "--out", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert "bench grade" in done.stderr
    numbers = open_run(tmp_path / "r").summary["tasks"][name]["metrics"]["correct"]
    assert numbers["value"] == pytest.approx(1 - 1 / len(samples))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,score\n1,nan\n", ":2: the score is nan"),
        ("id,score\n1,1e999\n", ":2: the score is inf"),
        ("id,score\n1,1\n2,0\n1,0\n", ":4: '1' is in line 2 already"),
        ("id,score\n1,good\n", ":2: the score 'good' is no number"),
        ("id,value\n1,1\n", ":2: no column 'score' or 'answer'"),
        ("name,score\na,1\n", ":2: no column 'id'"),
        ("id,score\n1\n", ":2: not as many columns"),
        ("", "no rows"),
        ("id,answer\n1,x\n", "no task is called 't'"),
        ('id,score\n"1,1\n', "not CSV"),
    ],
)
def test_bad_predictions_are_one_line(tmp_path, content, said):
    file = tmp_path / "old.csv"
    file.write_text(content)
    done = bench("import", file, "--task", "t", "--out", tmp_path / "r")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{}/none.csv", "--task", "t"], "no such file"),
        (["{}/old.jsonl"], "--task"),
        (["{}"], "no results_"),
        (["{}/old.json"], "no 'results'"),
        (["{}/old.jsonl", "--task", "t", "--out", "{}"], "not an empty folder"),
        (["{}/old.jsonl", "--task", "t", "--metric", "pass@5"], "only pass@1"),
    ],
)
def test_mistakes_of_the_command(tmp_path, arguments, said):
    (tmp_path / "old.jsonl").write_text('{"id": 1, "score": 1}\n')
    (tmp_path / "old.json").write_text("{}")
    arguments = [one.replace("{}", str(tmp_path)) for one in arguments]
    out = [] if "--out" in arguments else ["--out", tmp_path / "r"]
    done = bench("import", *arguments, *out)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
