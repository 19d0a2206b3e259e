"""The gate: it fails on a real regression and only then, and says so in every format."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from command_line import BENCH, bench
from run_folders import task, write_run

from bench.harness.errors import BenchError, Unfinished
from bench.leaderboards.gates import report
from bench.leaderboards.gates.baseline import open_baseline, write_baseline
from bench.leaderboards.gates.policy import Policy, read_policy
from bench.leaderboards.gates.ruling import Outcome, judge
from bench.leaderboards.runs import open_run

ACTION = Path(__file__).parents[1] / ".ci" / "gate" / "action.yml"
GITLAB = ACTION.with_name("gitlab.yml")


def shares(right, n, first=0):
    """Give n samples of which `right` are right, from the one at `first` on."""
    return {f"s{at}": float((at - first) % n < right) for at in range(n)}


def ruling(tmp_path, base, candidate, policy=None, tasks=()):
    runs = [
        open_run(write_run(tmp_path / name, values, tasks=tasks))
        for name, values in (("base", base), ("candidate", candidate))
    ]
    return judge(*runs, policy or Policy(), {})


def outcomes(found):
    return {check.name: check.outcome for check in found.checks}


def test_a_sure_drop_fails(tmp_path):
    found = ruling(tmp_path, {"maths": shares(900, 1000)}, {"maths": shares(800, 1000)})
    assert (found.exit_code, outcomes(found)) == (1, {"maths": Outcome.REGRESSION})
    [said] = report.findings(found)
    assert said.startswith("maths: acc fell by 10.0 points (95% interval ")
    assert "from 0.900 to 0.800" in said


def test_a_gain_and_no_change_pass(tmp_path):
    found = ruling(
        tmp_path,
        {"gain": shares(800, 1000), "same": shares(500, 1000)},
        {"gain": shares(900, 1000), "same": shares(500, 1000)},
    )
    assert (found.exit_code, set(outcomes(found).values())) == (0, {Outcome.PASSED})


def test_a_sure_drop_within_bounds_passes(tmp_path):
    base, candidate = {"maths": shares(900, 5000)}, {"maths": shares(850, 5000)}
    assert ruling(tmp_path, base, candidate).exit_code == 0  # 1 point of 2, p far below 0.05


def test_too_few_samples_are_no_green_light(tmp_path):
    found = ruling(tmp_path, {"maths": shares(30, 50)}, {"maths": shares(30, 50, first=3)})
    assert (found.exit_code, outcomes(found)) == (3, {"maths": Outcome.TOO_SMALL})
    [said] = report.findings(found)
    needed = int(said.partition("About ")[2].partition(" ")[0].replace(",", ""))
    assert needed > 50
    more = {
        name: shares(30 * needed // 50, needed, first=3 * needed // 50 * (name == "candidate"))
        for name in ("base", "candidate")
    }
    again = ruling(tmp_path / "more", {"maths": more["base"]}, {"maths": more["candidate"]})
    assert again.exit_code == 0


def test_less_is_better_where_the_metric_says_so(tmp_path):
    attacks = task("attacks", "attack_success", lower_is_better=True)
    few, many = {"attacks": shares(100, 1000)}, {"attacks": shares(200, 1000)}
    worse = ruling(tmp_path / "worse", few, many, tasks=[attacks])
    better = ruling(tmp_path / "better", many, few, tasks=[attacks])
    assert (worse.exit_code, better.exit_code) == (1, 0)
    assert "attack_success rose by 10.0 points" in report.findings(worse)[0]


def test_a_drop_in_one_language_is_not_averaged_away(tmp_path):
    names = [f"xl/python/L{at}" for at in range(23)]
    base = {name: {f"p{at}": (1.0, f"p{at}") for at in range(80)} for name in names}
    candidate = base | {names[3]: {f"p{at}": (float(at >= 40), f"p{at}") for at in range(80)}}
    found = ruling(tmp_path, base, candidate, Policy(min_drop=0.1))
    failed = [name for name, outcome in outcomes(found).items() if outcome == Outcome.REGRESSION]
    assert (failed, found.exit_code) == ([names[3]], 1)
    assert [check.name for check in report.shown(found)] == ["xl/python", names[3]]


def test_our_own_failures_are_not_evaluated(tmp_path):
    base = {"maths": shares(900, 1000)}
    found = ruling(tmp_path, base, {"maths": base["maths"] | {"s1": None}})
    assert (found.exit_code, outcomes(found)) == (3, {"maths": Outcome.NOT_EVALUATED})
    assert "1 infrastructure errors in tiny" in report.findings(found)[0]


def test_a_missing_task_is_not_evaluated_and_a_new_one_is_named(tmp_path):
    same = shares(500, 1000)
    found = ruling(tmp_path, {"a": same, "b": same}, {"a": same, "c": same})
    assert found.exit_code == 3
    assert outcomes(found) == {"a": Outcome.PASSED, "b": Outcome.NOT_EVALUATED}
    assert list(report.remarks(found)) == ["Only the candidate has (1): c."]


def test_no_common_samples(tmp_path):
    with pytest.raises(Unfinished, match="nothing to compare"):
        ruling(tmp_path, {"a": shares(5, 10)}, {"b": shares(5, 10)})


POLICY = """
min_drop = 0.2
ignore = ["noise"]
must_not_drop = ["safety"]
[[threshold]]
tasks = "maths*"
min_drop = 0.01
"""


def test_a_policy_says_what_counts(tmp_path):
    (tmp_path / "gate.toml").write_text(POLICY)
    policy = read_policy(tmp_path / "gate.toml", {"alpha": 0.01, "min_drop": None})
    before = dict.fromkeys(["noise/x", "safety/a", "maths", "other"], shares(1000, 1000))
    after = dict.fromkeys(before, shares(950, 1000)) | {"noise/x": shares(0, 1000)}
    found = ruling(tmp_path, before, after, policy)
    assert policy.alpha == 0.01
    assert outcomes(found) == {
        "safety/a": Outcome.REGRESSION,
        "maths": Outcome.REGRESSION,
        "other": Outcome.PASSED,
    }
    assert found.ignored == ["noise/x"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("min_drop = 2", "gate.toml: min_drop '2': input should be less than or equal to 1"),
        ("drop = 1", "gate.toml: drop: no such key"),
        ("[[threshold]]\nmin_drop = 0.1", "threshold.tasks"),
        ("min_drop = [", "not TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_policy_is_one_line(tmp_path, text, said):
    file = tmp_path / "gate.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BenchError) as caught:
        read_policy(file, {})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_metric_that_is_not_there(tmp_path):
    policy = Policy.model_validate({"threshold": [{"tasks": "a", "metric": "f1"}]})
    with pytest.raises(BenchError, match="counts 'f1' of a, whose metrics are acc"):
        ruling(tmp_path, {"a": shares(1, 2)}, {"a": shares(1, 2)}, policy)


def test_flaky_samples_are_quarantined_openly(tmp_path):
    base = {"a": shares(1000, 1000)}
    shaky = {"a": {sample: float(at >= 60) for at, sample in enumerate(base["a"])}}
    folders = [
        write_run(tmp_path / "main", base),
        write_run(tmp_path / "repeat", shaky),
        write_run(tmp_path / "pull", shaky),
    ]
    assert judge(*map(open_run, folders[::2]), Policy(), {}).exit_code == 1
    write_baseline(folders[:2], tmp_path / "artifact.zip")
    with open_baseline(tmp_path / "artifact.zip") as (run, flaky):
        found = judge(run, open_run(folders[2]), Policy(), flaky)
    assert (found.exit_code, found.checks[0].difference.n) == (0, 940)
    [remark] = report.remarks(found)
    assert remark.startswith("Quarantined, for they are flaky (60): a s0, a s1, ")


def test_repetitions_are_of_one_model(tmp_path):
    one = write_run(tmp_path / "one", {"a": shares(1, 2)})
    other = write_run(tmp_path / "other", {"a": shares(1, 2)}, model="large")
    with pytest.raises(BenchError, match="its model is another"):
        write_baseline([one, other], tmp_path / "b.zip")


def test_what_is_no_baseline_is_one_line(tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK no zip")
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "two" / "a", {"a": shares(1, 2)})
    write_run(tmp_path / "two" / "b", {"a": shares(1, 2)})
    for name, said in (
        ("bad.zip", "no baseline, or a damaged one"),
        ("empty", "holds no run and no baseline"),
        ("two", "holds several runs or baselines"),
        ("gone", "no such file or folder"),
    ):
        with pytest.raises(BenchError, match=said), open_baseline(tmp_path / name):
            pass


def test_the_command_and_its_reports(tmp_path):
    nasty = "evil</testcase>|<script>alert(1)</script>\x1b[2J"
    base = {nasty: shares(900, 1000), "fine": shares(900, 1000)}
    write_run(tmp_path / "base", base)
    write_run(tmp_path / "new", base | {nasty: shares(500, 1000)})
    packed = tmp_path / "artifact" / "main.zip"
    packed.parent.mkdir()
    assert bench("baseline", tmp_path / "base", "--out", packed).returncode == 0
    command = ["gate", "--baseline", packed.parent, "--candidate", tmp_path / "new"]
    written = [tmp_path / "junit.xml", tmp_path / "summary.md"]
    done = bench(*command, "--junit", written[0], "--markdown", written[1], GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert "acc fell by 40.0 points" in done.stdout
    assert "\x1b[2J" not in done.stdout
    assert done.stderr.startswith("::error title=bench gate::evil")
    cases = list(ET.parse(written[0]).iter("testcase"))
    assert [len(case.findall("failure")) for case in cases] == [1, 0]
    assert "<script>" not in written[1].read_text()
    assert "400 samples of evil" in written[1].read_text()
    as_json = json.loads(bench(*command, "--json").stdout)
    assert (as_json["exit_code"], as_json["checks"][1]["outcome"]) == (1, "passed")
    assert bench(*command, "--policy", tmp_path / "none.toml").returncode == 2


def run_step(name, folder, **environment):
    """Run the script of one step of the action in bash."""
    steps = yaml.safe_load(ACTION.read_text())["runs"]["steps"]
    [step] = [step for step in steps if step["name"] == name]
    path = f"{folder / 'bin'}:{Path(BENCH).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("right", "undecided", "code", "result"),
    [
        ((900, 1000), "fail", 0, "passed"),
        ((500, 1000), "fail", 1, "failed"),
        ((9, 10), "fail", 3, "undecided"),
        ((9, 10), "warn", 0, "undecided"),
    ],
)
def test_the_action(tmp_path, right, undecided, code, result):
    right, n = right
    write_run(tmp_path / "base", {"a": shares(9 * n // 10, n)})
    write_run(tmp_path / "new", {"a": shares(right, n)})
    (tmp_path / "main.zip").write_bytes(b"")
    write_baseline([tmp_path / "base"], tmp_path / "main.zip")
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(
        f"#!{sys.executable}\nimport shutil, sys, pathlib\n"
        "if sys.argv[1:3] == ['run', 'list']: print(7)\n"
        "else:\n"
        "    folder = pathlib.Path(sys.argv[sys.argv.index('--dir') + 1])\n"
        "    folder.mkdir(parents=True)\n"
        "    shutil.copy('main.zip', folder)\n"
    )
    gh.chmod(0o755)
    fetched = run_step("Fetch the baseline", tmp_path, GITHUB_WORKFLOW="w", BRANCH="main",
                       ARTIFACT="bench-baseline")  # fmt: skip
    assert fetched.returncode == 0, fetched.stderr
    done = run_step(
        "Gate",
        tmp_path,
        CANDIDATE="new",
        BASELINE="",
        POLICY="",
        MIN_DROP="",
        UNDECIDED=undecided,
        GITHUB_STEP_SUMMARY=str(tmp_path / "page.md"),
        GITHUB_OUTPUT=str(tmp_path / "output"),
    )
    assert (done.returncode, (tmp_path / "output").read_text()) == (code, f"result={result}\n")
    assert (tmp_path / "page.md").read_text().startswith("### Gate")


def test_the_gitlab_template(tmp_path):
    write_run(tmp_path / "baseline", {"a": shares(900, 1000)})
    write_run(tmp_path / "candidate", {"a": shares(500, 1000)})
    job = yaml.safe_load(GITLAB.read_text())[".bench-gate"]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        cwd=tmp_path,
        env={
            **os.environ,
            **job["variables"],
            "BENCH_BASELINE": "baseline",
            "PATH": f"{Path(BENCH).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).exists()
