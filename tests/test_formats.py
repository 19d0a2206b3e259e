"""Boards as files: each opened by the library that others would open it with."""

import json
from io import StringIO

import pandas as pd
import pytest
import yaml
from command_line import bench
from huggingface_hub.repocard_data import model_index_to_eval_results
from run_folders import SAMPLING, task, write_run

HOSTILE = "<img src=x onerror=alert(1)>|`a`|_b_ 50% & $x$ #1 \\ \u202enoitceje\u202c"
ARABIC = "\u0627\u0644\u0646\u0645\u0648\u0630\u062c/v2"
FORMATS = "markdown", "latex", "csv", "parquet", "json", "model-card"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A board of four runs, one of which was asked in another way."""
    place = tmp_path_factory.mktemp("board")
    kinds = [task("harm", "attack_success", lower_is_better=True)]
    runs = []
    for at, name in enumerate((HOSTILE, ARABIC, "plain", "plain")):
        values = {
            f"xl/{part}": {f"{i}": float((i * 7 + at) % 10 < 3 * at) for i in range(20)}
            for part in ("go", "python")
        }
        values["harm"] = {f"{i}": None if at == 1 and i == 3 else 0.25 * at for i in range(99)}
        sampling = SAMPLING | ({"temperature": 0.7} if at == 3 else {})
        runs.append(write_run(place / f"{at}", values, name, kinds, sampling=sampling))
    summary = json.loads((runs[0] / "summary.json").read_text())
    summary["usage"] = {"prompt_tokens": 1234, "completion_tokens": 56, "cost": 0.125}
    (runs[0] / "summary.json").write_text(json.dumps(summary))
    chosen = [part for form in FORMATS for part in ("--format", form)]
    done = bench("leaderboard", *runs, "--out", place / "out", *chosen, "--title", "<b>A|B</b>")
    assert done.returncode == 0, done.stderr
    return place / "out"


def test_frames_have_every_number_with_its_interval(folder):
    frame = pd.read_parquet(folder / "leaderboard.parquet")
    assert len(frame) == 4 * (3 + 2), "three tasks, and a group micro and macro"
    one = frame[(frame["entry"] == "xl/go") & (frame["run"] == ARABIC)].iloc[0]
    assert one["low"] < one["value"] == 0.3 < one["high"]
    assert one["n"] == 20
    assert one["share_passed"] == 0.3
    harm = frame[(frame["entry"] == "harm") & (frame["run"] == ARABIC)].iloc[0]
    assert harm["unscored"] == 1
    assert harm["lower_is_better"]
    used = frame[frame["run"] == HOSTILE].iloc[0]
    assert (used["prompt_tokens"], used["completion_tokens"], used["cost"]) == (1234, 56, 0.125)
    apart = frame[frame["apart"] != ""]
    assert set(apart["class"]) == {2}
    assert apart["apart"].str.contains("temperature").all()
    assert apart["rank"].isna().all()
    again = pd.read_csv(folder / "leaderboard.csv", keep_default_na=False)
    assert list(again.columns) == list(frame.columns)
    assert list(again["run"]) == list(frame["run"])


def test_ranks_say_where_less_is_better(folder):
    frame = pd.read_parquet(folder / "leaderboard.parquet")
    ranks = frame[frame["entry"] == "harm"].set_index("run")["rank"].dropna()
    assert ranks[HOSTILE] == 1
    assert ranks["plain (2)"] == 3


def test_json_keeps_classes_apart(folder):
    said = json.loads((folder / "leaderboard.json").read_text())
    assert said["title"] == "<b>A|B</b>"
    assert said["main"] == ["xl", "harm"]
    [whole] = [one for one in said["entries"] if one["name"] == "xl"]
    first, second = whole["classes"]
    assert set(first["runs"]) == {HOSTILE, ARABIC, "plain (2)"}
    assert list(second["runs"]) == ["plain (3)"]
    assert "temperature" in second["apart"]
    numbers = first["runs"][ARABIC]["metrics"]["acc (micro)"]
    assert set(numbers) == {"value", "low", "high", "n"}


def test_markdown_is_tables_of_text(folder):
    text = (folder / "leaderboard.md").read_text()
    assert "<img" not in text
    assert "\u202e" not in text, "it would turn the rest of a line around"
    assert ARABIC in text
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    for table in tables:
        counts = {
            line.replace("\\\\", "").replace("\\|", "").count("|") for line in table.splitlines()
        }
        assert len(counts) == 1, "a pipe in a name is no cell"
    assert "## Apart" in text
    assert "temperature" in text
    assert "1,234" in text
    assert "$0.12" in text.replace("\\", "")


def test_latex_escapes_names(folder):
    text = (folder / "leaderboard.tex").read_text()
    row = next(line for line in text.splitlines() if line.startswith("<img"))
    assert r"\_b\_ 50\% \& \$x\$ \#1 \textbackslash" in row
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") >= 4
    body = [line for line in text.splitlines() if not line.startswith("%")]
    assert not any("#" in line.replace(r"\#", "") for line in body)


def test_model_cards_are_read_by_the_hubs_own_classes(folder):
    cards = sorted(folder.glob("model-card-*.yaml"))
    assert len(cards) == 4
    content = yaml.safe_load(cards[1].read_text().strip().strip("-"))
    name, results = model_index_to_eval_results(content["model-index"])
    assert name == ARABIC
    assert {one.dataset_name: one.metric_type for one in results} == {
        "xl": "acc",
        "harm": "attack_success",
    }
    for one in results:
        assert 0 <= one.metric_value <= 1
        assert "95% interval" in one.metric_name
        assert "n = " in one.metric_name


def test_numbers_are_those_of_show(folder):
    frame = pd.read_csv(StringIO((folder / "leaderboard.csv").read_text()))
    said = json.loads(bench("show", folder.parent / "0", "--json").stdout)
    for name, entry in said["tasks"].items():
        for metric, numbers in entry["metrics"].items():
            rows = frame[(frame["entry"] == name) & (frame["metric"] == metric)]
            row = rows[rows["run"] == HOSTILE].iloc[0]
            assert all(row[part] == numbers[part] for part in ("value", "low", "high", "n"))


def test_a_folder_that_cannot_be_written(tmp_path):
    run = write_run(tmp_path / "r", {"t": {"1": 1.0}})
    (tmp_path / "file").write_text("")
    done = bench("leaderboard", run, "--out", tmp_path / "file", "--format", "csv")
    assert done.returncode in {2, 3}
    assert done.stderr.count("\n") == 1
    assert "--out" in done.stderr
