"""Two real models on real data: a board to publish, and the gate of the one against the other."""

import json
import os
import shutil
from pathlib import Path

import pytest
from command_line import bench

TASKS = (
    "humaneval_xl/python/English,humaneval_xl/python/Chinese,humaneval_xl/javascript/English,"
    "truthfulqa/mc1,typos/char_permute-2/truthfulqa/mc1,typos/keyboard-10/truthfulqa/mc1,xstest"
)
MODELS = ("smollm2", "gemma3")


@pytest.fixture(scope="module")
def runs(data_dir, tmp_path_factory):
    """One run a model, asked by completion since one of them knows no chat."""
    folder = tmp_path_factory.mktemp("runs")
    for model in MODELS:
        options = ("--no-chat", "--limit", 10, "--max-tokens", 64, "--data-dir", data_dir)
        done = bench("run", "--model", model, "--tasks", TASKS, *options, "--out", folder / model)
        assert done.returncode == 0, done.stderr
    return [folder / model for model in MODELS]


def kept(folder: Path, name: str) -> None:
    """Keep a folder or file where CI collects what people want to look at."""
    if "BENCH_ARTIFACTS" in os.environ:
        target = Path(os.environ["BENCH_ARTIFACTS"]) / name
        if folder.is_dir():
            shutil.copytree(folder, target, dirs_exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder, target)


@pytest.mark.slow
def test_a_board_of_two_models(runs, data_dir, tmp_path):
    out = tmp_path / "board"
    formats = [part for name in ("html", "json", "markdown") for part in ("--format", name)]
    done = bench("leaderboard", *runs, "--out", out, "--data-dir", data_dir, *formats)
    assert done.returncode == 0, done.stderr
    kept(out, "board")
    page = (out / "index.html").read_text()
    assert all(model in page for model in MODELS)


@pytest.mark.slow
def test_the_gate_in_both_directions(runs, tmp_path):
    regressions = []
    for at, (base, candidate) in enumerate([runs, runs[::-1]]):
        summary = tmp_path / f"gate-{at}.md"
        done = bench(
            "gate", "--baseline", base, "--candidate", candidate, "--markdown", summary, "--json"
        )
        found = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (found["exit_code"], "")
        assert {check["outcome"] for check in found["checks"]} <= {
            "regression",
            "too few samples",
            "passed",
        }
        regressions.append({c["name"] for c in found["checks"] if c["outcome"] == "regression"})
        kept(summary, summary.name)
    assert not regressions[0] & regressions[1]
