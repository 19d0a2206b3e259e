"""What is wrong with a command, a file or the machine is one clear line, and nothing is lost."""

import json
import subprocess
from pathlib import Path

import pytest
from command_line import BENCH, bench, lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--model is missing"),
        (["--model", "smollm2"], "--tasks is missing"),
        (["--model", "smollm2", "--tasks", ""], "--tasks ''"),
        (["--model", "smollm2", "--tasks", "humaneval_xl/pyton/English"], "Did you mean"),
        (["--model", "smolm2", "--tasks", "quickstart"], "smollm2"),
        (["--model", "scripted:nowhere.jsonl", "--tasks", "quickstart"], "nowhere.jsonl"),
        (["--model", "smollm2", "--tasks", "quickstart", "--limit", "0"], "--limit '0'"),
        (["--model", "smollm2", "--tasks", "quickstart", "--limit", "-3"], "--limit"),
        (["--model", "smollm2", "--tasks", "quickstart", "--limit", "many"], "--limit"),
        (["--model", "smollm2", "--tasks", "quickstart", "--n", "0"], "--n"),
        (["--model", "smollm2", "--tasks", "quickstart", "--n", "99999999"], "--n"),
        (["--model", "smollm2", "--tasks", "quickstart", "--temperature", "-1"], "--temperature"),
        (["--model", "smollm2", "--tasks", "quickstart", "--temperature", "nan"], "--temperature"),
        (["--model", "smollm2", "--tasks", "quickstart", "--top-p", "0"], "--top-p"),
        (["--model", "smollm2", "--tasks", "quickstart", "--max-tokens", "0"], "--max-tokens"),
        (["--model", "smollm2", "--tasks", "quickstart", "--seed", "-1"], "--seed"),
        (["--model", "smollm2", "--tasks", "quickstart", "--workers", "0"], "--workers"),
        (["--model", "smollm2", "--tasks", "quickstart", "--config", "no.toml"], "no.toml"),
        (["--model", "smollm2", "--tasks", "quickstart", "--sandbox", "dokcer"], "docker"),
        (["--nonsense"], "--nonsense"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [BENCH, "run", *arguments], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.startswith("bench: ") and done.stderr.count("\n") == 1
    assert done.stdout == "" and list(tmp_path.iterdir()) == []


def test_bad_data_names_file_and_line(gold: Path, data_dir: Path, tmp_path: Path) -> None:
    base = ["run", "--model", f"scripted:{gold}", "--tasks", "humaneval_xl/python/English"]
    base += ["--out", str(tmp_path / "R"), "--data-dir"]
    assert "no such directory" in bench(*base, tmp_path / "none").stderr
    file = tmp_path / "data" / "humaneval_xl" / "python" / "English.jsonl"
    file.parent.mkdir(parents=True)
    missing = bench(*base, tmp_path / "data")
    assert missing.returncode == 2 and f"{file}: no such file" in missing.stderr
    text = (data_dir / "humaneval_xl" / "python" / "English.jsonl").read_text()
    file.write_text(text.replace('"task_id"', '"task_id', 1))
    assert f"{file}:1: not JSON" in bench(*base, tmp_path / "data").stderr
    file.write_text(text.replace("bank account", "current account", 1))
    assert f"{file}: content differs" in bench(*base, tmp_path / "data").stderr
    file.write_bytes(b"\xff" + text.encode())
    assert f"{file}: not UTF-8" in bench(*base, tmp_path / "data").stderr
    assert not (tmp_path / "R").exists()


def test_no_engine_is_said_before_anything_is_generated(
    gold: Path, data_dir: Path, tmp_path: Path
) -> None:
    done = bench(
        "run", "--model", f"scripted:{gold}", "--tasks", "humaneval_xl/python/English",
        "--data-dir", data_dir, "--out", tmp_path / "R", DOCKER_HOST="unix:///nonexistent.sock",
    )  # fmt: skip
    assert done.returncode == 2 and "No Docker engine answers" in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "R").exists()


def test_a_folder_of_other_things_is_left_alone(gold: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("do not touch")
    task = "quickstart/tokenization/char_count"
    for extra in ([], ["--fresh"]):
        done = bench(
            "run", "--model", f"scripted:{gold}", "--tasks", task, "--out", tmp_path, *extra
        )
        assert done.returncode == 2 and "holds files that are no run" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_full_disk_is_said_and_the_run_goes_on_later(tmp_path: Path) -> None:
    script = tmp_path / "s.jsonl"
    script.write_text(json.dumps({"text": "x" * 300}) + "\n")
    command = [BENCH, "run", "--model", f"scripted:{script}", "--out", str(tmp_path / "R")]
    command += ["--tasks", "quickstart/tokenization/reverse"]
    # A limit on file sizes stands for the disk: both end a write early.
    stopped = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 16; exec "$@"', "sh", *command],
        check=False,
        capture_output=True,
        text=True,
    )
    assert stopped.returncode == 3, stopped.stderr
    last = stopped.stderr.splitlines()[-1]
    full = [f"bench: {tmp_path}/R/{name}.jsonl: " for name in ("responses", "scores")]
    assert last.startswith(tuple(full)) and "make room" in last  # whichever comes first
    assert "Traceback" not in stopped.stderr
    kept = len(lines(tmp_path / "R" / "responses.jsonl"))
    assert 0 < kept < 40
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert len(lines(tmp_path / "R" / "responses.jsonl")) == 40


def test_a_full_disk_behind_the_output_is_said_as_well() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [BENCH, "tasks"], check=False, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "No space left on device" in line and "Make room" in line
