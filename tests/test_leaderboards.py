"""The table of a run, and the command that prints it."""

import json
import os
import re
import subprocess
import sys
from io import StringIO

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from bench.harness.errors import BenchError
from bench.leaderboards.commands import show
from bench.leaderboards.table import render

MANIFEST = {
    "model": {"name": "hf:lab/small-instruct"},
    "format": "chat",
    "sampling": {
        "max_tokens": 512,
        "temperature": 0.0,
        "stop": [],
        "seed": 7,
        "limit": None,
        "shuffle": False,
    },
    "created": "2026-07-28T09:30:00+00:00",
    "tasks": {},
}
RATES = dict.fromkeys(["truncated", "empty", "no_answer", "infrastructure_error"], 0.0)


def numbers(value, low, high, n):
    return {"value": value, "low": low, "high": high, "n": n}


def entry(metrics, verdicts, unscored=0, **rates):
    return {
        "metrics": metrics,
        "verdicts": verdicts,
        "rates": RATES | rates,
        "unscored": unscored,
    }


SUMMARY = {
    "tasks": {
        "humaneval_xl/typescript/Portuguese": entry(
            {"pass@1": numbers(0.55, 0.441, 0.654, 80), "pass@5": numbers(0.725, 0.6, 0.8, 80)},
            {"passed": 44, "wrong": 32, "timeout": 2, "no_answer": 1, "truncated": 1},
            truncated=0.3,
            no_answer=0.0125,
        ),
        "humaneval_xl/go/English": entry(
            {"pass@1": numbers(0.5, 0.3871, 0.61, 80)},
            {"passed": 39, "compile_error": 39, "infrastructure_error": 2},
            unscored=2,
            infrastructure_error=0.025,
        ),
        "bytes": entry(
            {"bits_per_byte": numbers(1234.5, None, None, 1000)},
            {"passed": 999, "wrong": 1},
            empty=0.999,
        ),
        "lost": entry(
            {"accuracy": numbers(None, 0.0, 1.0, 3)}, {"infrastructure_error": 3}, unscored=3
        ),
    },
    "groups": {
        "humaneval_xl": {
            **entry(
                {
                    "pass@1 (micro)": numbers(0.525, 0.44, 0.61, 160),
                    "pass@1 (macro)": numbers(0.526, 0.4405, 0.6115, 160),
                },
                {"passed": 83, "wrong": 32, "compile_error": 39},
                unscored=2,
            ),
            "tasks": 2,
            "by": "",
        }
    },
}

TABLE = """\
hf:lab/small-instruct · chat · max_tokens 512, temperature 0, seed 7 · 2026-07-28

group         tasks  metric          value    95% interval    n  verdicts
────────────────────────────────────────────────────────────────────────────────────────────────────
humaneval_xl      2  pass@1 (micro)  0.525  0.440 to 0.610  160  2 unscored · compile 25% · wrong
                                                                 21%
                     pass@1 (macro)  0.526  0.441 to 0.612  160

micro: every sample weighs the same; macro: every task does.

task                      metric            value    95% interval     n  verdicts
────────────────────────────────────────────────────────────────────────────────────────────────────
humaneval_xl/typescript/  pass@1            0.550  0.441 to 0.654    80  wrong 40% · timeout 2% · no
Portuguese                                                               answer 1% · truncated 1% ·
                                                                         (at token limit 30%)
                          pass@5            0.725  0.600 to 0.800    80
humaneval_xl/go/English   pass@1            0.500  0.387 to 0.610    80  2 unscored · compile 49%
bytes                     bits_per_byte  1234.500          ? to ?  1000  wrong <1% · (empty >99%)
lost                      accuracy           none  0.000 to 1.000     3  3 unscored
"""


def shown(summary, manifest=MANIFEST, **options):
    console = Console(width=100, file=StringIO(), **options)
    console.print(render(summary, manifest))
    return console.file.getvalue()


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


def test_the_table_of_a_run():
    assert lines(shown(SUMMARY)) == lines(TABLE)


def apart(difference, p):
    metrics = {"pass@1": difference | {"p": p, "p_holm": p}}
    return {"gap": {"to": "xl/go/en", "metrics": metrics}}


GAPS = """\
pass@1 against xl/go/en     gap      95% interval    n       p  p (Holm)
────────────────────────────────────────────────────────────────────────
xl/go                    -0.125  -0.200 to -0.050  160  <0.001    <0.001

by language family
xl/*/west                +0.000  -0.034 to +0.034   80   1.000     1.000

xl/go/de                   none  -1.000 to +1.000    3

gap: the mean difference on the same problems, every pair weighing the same; whole problems are
resampled. p: exact, by the signs of problems (McNemar's test where each occurs once). Holm: over
the tasks of one baseline, or the groups of one section.
"""


def test_gaps_to_a_baseline_have_a_table_of_their_own():
    one = entry({"pass@1": numbers(0.5, 0.4, 0.6, 80)}, {"passed": 40, "wrong": 40})
    groups = {
        "xl/go": one | {"by": ""} | apart(numbers(-0.125, -0.2, -0.05, 160), 0.00099),
        "xl/*/west": one | {"by": "language family"} | apart(numbers(0.0, -0.034, 0.034, 80), 1.0),
        "xl/*/east": one | {"by": "language family"},
    }
    for group in groups.values():
        group["tasks"] = 2
    tasks = {"xl/go/en": one, "xl/go/de": one | apart(numbers(None, -1.0, 1.0, 3), None)}
    text = shown({"tasks": tasks, "groups": groups})
    found = lines(text)
    assert found[found.index(lines(GAPS)[0]) :] == lines(GAPS)
    tasks |= {f"xl/go/{i}": one for i in range(30)}
    text = shown({"tasks": tasks, "groups": groups})
    assert "xl/go/de" not in text and "xl/*/east" in text
    assert "32 tasks are not shown one by one" in text
    assert "xl/go/29" in shown({"tasks": tasks, "groups": {}})  # there is nothing else to show


def test_a_run_without_tasks_has_an_empty_table():
    text = shown({"tasks": {}, "groups": {}})
    assert "95% interval" in text
    assert "micro" not in text


def test_unscored_samples_and_missing_values_are_red():
    text = shown(SUMMARY, force_terminal=True, color_system="standard")
    assert "\x1b[1;31m2 unscored\x1b[0m" in text
    assert re.search("\x1b\\[1;31m *none\x1b", text)
    whole = {"tasks": {"bytes": SUMMARY["tasks"]["bytes"]}, "groups": {}}
    assert "\x1b[1;31m" not in shown(whole, force_terminal=True, color_system="standard")


def test_names_are_shown_as_they_are_and_cannot_steer_a_terminal():
    task = entry({"[bold]m": numbers(1.0, 0.9, 1.0, 5)}, {"passed": 5})
    summary = {"tasks": {"[red]t[/red]": task, "esc\x1b[31m": task}, "groups": {}}
    model = {"name": "[link=x]y[/]\x1b]0;title\x07\nnext line"}
    text = shown(summary, MANIFEST | {"model": model}, force_terminal=True, color_system="standard")
    assert "[red]t[/red]" in text
    assert "[bold]m" in text
    assert "[link=x]y[/]" in text
    assert "\x1b[31m" not in text
    assert "\x1b]0" not in text
    assert "next line" in text.splitlines()[0]


@pytest.mark.parametrize(("value", "said"), [(1.0, True), (0.0, False), (None, False)])
def test_a_judge_that_is_worse_than_chance_is_named(value, said):
    judged = entry({"judge_kappa": numbers(-0.2, -0.4, 0.1, 9)}, {"passed": 9})
    judged["metrics"]["judge_worse_than_chance"] = numbers(value, 0.0, 1.0, 9)
    text = " ".join(shown({"tasks": {"llmbar": judged}, "groups": {}}).split())
    assert ("less often than chance would (kappa below 0) on llmbar." in text) is said


@pytest.fixture
def run(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    return tmp_path


def test_show_prints_the_table_at_the_same_width_into_a_file(run):
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from bench.leaderboards.commands import *; show(Path({str(run)!r}))",
        ],
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert lines(shown.stdout) == lines(TABLE)
    assert shown.stderr == ""


def test_show_as_json_prints_the_summary_and_nothing_else(run):
    app = typer.Typer()
    app.command()(show)
    printed = CliRunner().invoke(app, [str(run), "--json"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == SUMMARY
    assert printed.stderr == ""


@pytest.mark.parametrize(
    ("missing", "message"),
    [("manifest.json", "not a run, for it has no manifest.json"), ("summary.json", "not finished")],
)
def test_a_folder_without_results_says_what_is_missing(run, missing, message):
    (run / missing).unlink()
    with pytest.raises(BenchError, match=message) as caught:
        show(run)
    assert str(run) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BenchError, match="gone: no such folder"):
        show(tmp_path / "gone")


def test_a_damaged_summary_is_named(run):
    (run / "summary.json").write_text('{"tasks": ')
    with pytest.raises(BenchError, match=r"summary\.json: damaged"):
        show(run)
