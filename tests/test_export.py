"""Runs as files of other programs, opened by those programs' own readers."""

import json
from pathlib import Path

import pandas as pd
import pytest
from command_line import bench, lines
from run_folders import write_run

from bench.harness import Data, registry

TASKS = "quickstart/tokenization/reverse", "quickstart/tokenization/spelling_choice"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two answers to each sample, by a model that says odd things."""
    place = tmp_path_factory.mktemp("run")
    [task, _] = registry.select(",".join(TASKS))
    rows = [
        {"prompt": task.ask(one).prompt, "texts": [one.target, "no \ud800 </script>"]}
        for one in task.samples(Data(None))
    ]
    rows[0]["texts"] = ["<b>wrong</b>", "\u202egnorw"]
    script = place / "script.jsonl"
    other = {"text": "nothing", "logprobs": [-1.0, -2.0, -3.0, -4.0]}
    script.write_text("".join(json.dumps(one) + "\n" for one in [*rows, other]))
    done = bench(
        *("run", "--model", f"scripted:{script}", "--tasks", ",".join(TASKS), "--n", 2),
        *("--temperature", 1, "--out", place / "R"),
    )
    assert done.returncode == 0, done.stderr
    return place / "R"


def metrics(run):
    return json.loads((run / "summary.json").read_text())["tasks"]


def test_parquet_has_every_answer(run, tmp_path):
    out = tmp_path / "answers.parquet"
    assert bench("export", run, "--format", "parquet", "--out", out).returncode == 0
    frame = pd.read_parquet(out)
    assert len(frame) == len(lines(run / "scores.jsonl"))
    reverse = frame[frame["task"] == TASKS[0]]
    assert reverse["text"].str.contains("</script>").any()
    means = reverse.groupby("sample")["correct"].mean().mean()
    assert means == pytest.approx(metrics(run)[TASKS[0]]["metrics"]["correct"]["value"])


def test_lm_evals_layout_is_found_and_shown_by_its_own_utilities(run, tmp_path):
    utils = pytest.importorskip("lm_eval.utils")
    out = tmp_path / "results" / "model"
    assert bench("export", run, "--format", "lm-eval", "--out", out).returncode == 0
    files = [str(file) for file in out.iterdir()]
    [results] = utils.get_results_filenames(files)
    samples = utils.get_sample_results_filenames(files)
    named = {utils.get_file_task_name(Path(file).name) for file in samples}
    content = json.loads(Path(results).read_text())
    assert named == set(content["results"]) == {name.replace("/", "__") for name in TASKS}
    assert {utils.get_file_datetime(Path(file).name) for file in samples} == {
        utils.get_file_datetime(Path(results).name).removesuffix(".json")
    }
    table = utils.make_table(content)
    for name in TASKS:
        value = next(iter(metrics(run)[name]["metrics"].values()))["value"]
        assert f"{value:.4f}" in table
    [file] = [one for one in samples if "reverse" in one]
    rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
    [odd] = [one for one in rows if one["resps"] == [["<b>wrong</b>", "\u202egnorw"]]]
    assert odd["correct"] == 0
    assert odd["arguments"]["gen_args_0"]["arg_0"], "the prompt was rendered anew"
    assert {one["correct"] for one in rows if one is not odd} == {0.5}


def test_what_we_write_for_lm_eval_we_read_back(run, tmp_path):
    bench("export", run, "--format", "lm-eval", "--out", tmp_path / "theirs")
    done = bench("import", tmp_path / "theirs", "--out", tmp_path / "back")
    assert done.returncode == 0, done.stderr
    again = metrics(tmp_path / "back")
    for name in TASKS:
        for metric, numbers in metrics(run)[name]["metrics"].items():
            back = again[f"lm_eval/{name.replace('/', '__')}"]["metrics"][f"{metric},none"]
            assert back["value"] == pytest.approx(numbers["value"])
            assert back["n"] == numbers["n"]


def test_inspect_reads_its_logs(run, tmp_path):
    inspect = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed")
    done = bench("export", run, "--format", "inspect", "--out", tmp_path / "logs")
    assert done.returncode == 0, done.stderr
    found = inspect.list_eval_logs(str(tmp_path / "logs"))
    logs = {log.eval.task: log for log in map(inspect.read_eval_log, found)}
    assert set(logs) == set(TASKS)
    log = logs[TASKS[0]]
    assert log.status == "success"
    [scores] = log.results.scores
    stated = metrics(run)[TASKS[0]]["metrics"]["correct"]
    assert scores.metrics["correct"].value == stated["value"]
    assert scores.metrics["correct"].metadata["low"] == stated["low"]
    [odd] = [one.id for one in log.samples if one.output.completion == "<b>wrong</b>"]
    first = [sample for sample in log.samples if sample.id == odd]
    assert [sample.epoch for sample in first] == [1, 2]
    assert first[0].scores["bench"].value == {"verdict": "wrong", "correct": 0.0}
    assert isinstance(first[0].input, str | list) and "not at hand" not in str(first[0].input)


def test_without_inspect_one_line_says_what_to_install(run, tmp_path):
    try:
        import inspect_ai  # noqa: F401
    except ImportError:
        done = bench("export", run, "--format", "inspect", "--out", tmp_path / "logs")
        assert done.returncode == 2
        assert "pip install" in done.stderr
        assert done.stderr.count("\n") == 1


def test_names_that_no_file_can_have(tmp_path):
    names = "a/../b", "a__..__b", "<i>|\u0627", "x" * 300
    values = {name: {"1": 1.0, "\u202e/2": 0.0} for name in names}
    run = write_run(tmp_path / "r", values, "<b>|\u0627/..")
    out = tmp_path / "deep" / "out"
    done = bench("export", run, "--format", "lm-eval", "--out", out)
    assert done.returncode == 0, done.stderr
    assert len(list(out.glob("samples_*.jsonl"))) == len(names)
    assert {file.parent for file in out.rglob("*")} == {out}
    content = json.loads(next(out.glob("results_*")).read_text())
    assert {one["alias"] for one in content["results"].values()} == set(names)


@pytest.mark.parametrize(
    ("form", "out", "said"),
    [
        ("parquet", None, "say with --out"),
        ("lm-eval", None, "say with --out"),
        ("lm-eval", "R", "belongs to the run itself"),
        ("parquet", "R/scores.jsonl", "belongs to the run itself"),
        ("lm-eval", ".", "not an empty folder"),
        ("parquet", "nowhere/at/all.parquet", "non-existent directory"),
    ],
)
def test_places_that_will_not_do(run, form, out, said):
    where = [] if out is None else ["--out", run.parent / out]
    done = bench("export", run, "--format", form, *where)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
