"""Runs as pandas frames, and the notebook that shows them."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest
from command_line import lines
from run_folders import write_run

from bench.harness.errors import BenchError
from bench.leaderboards import load

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"


def test_a_row_for_each_answer_and_each_number(tmp_path):
    values = {
        "xl/a": {"1": (1.0, "p/1"), "2": (0.0, "p/2"), "3": None},
        "xl/b": {"1": (0.5, "p/1")},
    }
    found = load(write_run(tmp_path / "r", values))
    assert list(zip(found.samples["task"], found.samples["sample"], strict=True)) == [
        ("xl/a", "1"),
        ("xl/a", "2"),
        ("xl/a", "3"),
        ("xl/b", "1"),
    ]
    assert list(found.samples["group"]) == ["p/1", "p/2", "", "p/1"]
    assert found.samples["acc"].isna().tolist() == [False, False, True, False]
    assert found.samples["verdict"].tolist()[2] == "infrastructure_error"
    assert set(found.samples["text"]) == {"an answer"}
    assert found.samples["completion_tokens"].sum() == 8
    assert found.samples["draw"].dtype == found.estimates["n"].dtype == pd.Int64Dtype()
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    rows = found.estimates.set_index(["kind", "name", "metric"])
    numbers = summary["tasks"]["xl/a"]["metrics"]["acc"]
    assert dict(rows.loc["task", "xl/a", "acc"][["value", "low", "high", "n"]]) == numbers
    assert rows.loc["group", "xl", "acc (macro)"]["n"] == 4


def test_what_was_scored_again_counts_once(tmp_path):
    run = write_run(tmp_path / "r", {"t": {"1": None, "2": 1.0}})
    again = lines(run / "scores.jsonl")[0] | {"verdict": "passed", "values": {"acc": 1.0}}
    with (run / "scores.jsonl").open("a") as file:
        file.write(json.dumps(again) + "\n")
    found = load(run).samples
    assert len(found) == 2
    assert found["acc"].tolist() == [1.0, 1.0]


def test_odd_texts_and_values_that_are_called_like_columns(tmp_path):
    run = write_run(tmp_path / "r", {"t": {"1": 1.0, "\u202e2": 0.0}})
    answers = lines(run / "responses.jsonl")
    answers[0]["texts"] = ["lone \ud800 \x00 <b>"]
    (run / "responses.jsonl").write_text("".join(json.dumps(one) + "\n" for one in answers))
    scores = lines(run / "scores.jsonl")
    scores[0]["values"]["text"] = 3.0
    (run / "scores.jsonl").write_text("".join(json.dumps(one) + "\n" for one in scores))
    found = load(str(run)).samples
    assert found["text"][0] == "lone \ufffd \x00 <b>"
    assert found["value_text"][0] == 3.0
    found.to_parquet(tmp_path / "out.parquet")
    assert pd.read_parquet(tmp_path / "out.parquet")["sample"].tolist() == ["1", "\u202e2"]


@pytest.mark.parametrize(("place", "said"), [("nowhere", "no such folder"), (".", "not a run")])
def test_what_is_no_run(tmp_path, place, said):
    with pytest.raises(BenchError, match=said):
        load(tmp_path / place)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs(monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not committed"
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    [said] = notebook.cells[-1]["outputs"]
    assert "better on quickstart/tokenization/reverse" in said["data"]["text/plain"]
