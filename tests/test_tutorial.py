"""Writing a task: every block of the tutorial is run, in order, in a folder of its own."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import BENCH, lines

from bench.harness.store import read_json

TUTORIAL = (Path(__file__).parent.parent / "docs" / "writing-a-task.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
[MODULE] = [text for kind, text in BLOCKS if kind == "python"]
[PROJECT] = [text for kind, text in BLOCKS if kind == "toml"]
[ANSWERS] = [text for kind, text in BLOCKS if kind == "json"]
NOTHING_FOUND, WRONG_GOLD = [text for kind, text in BLOCKS if kind == "text"]
COMMANDS = [
    line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.strip()
]
OF_A_MODEL = ("smollm2", "runs/capitals")
PIP = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "capitals.py").write_text(MODULE)
    (tmp_path / "answers.jsonl").write_text(ANSWERS)
    return tmp_path


def call(folder, line):
    """Run a line as somebody in that folder does, for whom pip installs into site/."""
    name, *words = shlex.split(line)
    command = {"bench": [BENCH], "pip": [*PIP, "--target", "site"]}[name]
    if name == "pip":
        (folder / "pyproject.toml").write_text(PROJECT)
        assert words.pop(0) == "install"
    done = subprocess.run(
        [*command, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "site")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done


def scored(folder, run, name):
    found = read_json(folder / run / "summary.json")["tasks"][name]
    return {metric: numbers["value"] for metric, numbers in found["metrics"].items()}


def test_every_block_is_of_a_kind_that_is_run():
    assert {kind for kind, _ in BLOCKS} == {"python", "toml", "json", "sh", "text"}
    assert len(MODULE.splitlines()) < 30
    [function] = re.findall(r"^def tasks.*", MODULE, re.MULTILINE | re.DOTALL)
    assert "fewshot=2" in function


@pytest.mark.slow
def test_the_commands_work_in_their_order(folder):
    said = {}
    for line in COMMANDS:
        if not any(name in line for name in OF_A_MODEL):
            done = call(folder, line)
            assert done.returncode == 0, (line, done.stderr)
            said[line] = done.stdout
    assert "Whether a model knows capitals." in said["bench tasks file/capitals.py"]
    assert "Capital cities, by completion." in said["bench tasks file/capitals.py"]
    assert said["bench tasks --check file/capitals.py"] == NOTHING_FOUND
    assert said["bench tasks --check capitals"] == NOTHING_FOUND
    assert "runs/installed: 2 answers scored again" in said["bench verify runs/installed"]
    for run, name in (("scripted", "file/capitals.py/capitals"), ("installed", "capitals")):
        assert scored(folder, f"runs/{run}", name) == {"exact": 0.0, "near": 0.5}
    asked = {record["texts"][0] for record in lines(folder / "runs/scripted/responses.jsonl")}
    assert asked == {" It is Nairobi."}


@pytest.mark.slow
def test_the_run_of_a_real_model_is_recorded_and_refused_after_a_change(folder):
    run, verify = [line for line in COMMANDS if any(name in line for name in OF_A_MODEL)]
    assert call(folder, run).returncode == 0
    assert "2 answers scored again" in call(folder, verify).stdout
    (folder / "capitals.py").write_text(f"{MODULE}\n# another scorer\n")
    for line in (run, verify):
        done = call(folder, line)
        assert done.returncode == 2
        assert "data.file/capitals.py was" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_the_mistake_that_the_text_names_is_found(folder):
    wrong = MODULE.replace("said == sample.target", "said == sample.prompt")
    (folder / "capitals.py").write_text(wrong)
    done = call(folder, "bench tasks --check file/capitals.py")
    assert (done.returncode, done.stdout) == (2, WRONG_GOLD)
