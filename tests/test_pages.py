"""The files of a leaderboard's page: that they hold what the runs hold, and nothing that acts."""

import base64
import fcntl
import gzip
import json
import os
import re
import resource
import subprocess

import pytest
from command_line import BENCH, bench, lines
from page_runs import HOSTILE, write_own, write_pair, write_run

from bench.harness import Data, Verdict, registry
from bench.leaderboards.board import board
from bench.leaderboards.comparison import compare
from bench.leaderboards.pages import drilldown, writing
from bench.leaderboards.pages.packing import short
from bench.leaderboards.runs import open_runs

LONG = """
from bench.harness import Generate, Sample, Score, Task, Verdict
from bench.harness.stats import mean_of

def samples(data):
    return (Sample(str(at), "x" * {length}) for at in range({count}))

def tasks():
    score = lambda *_: Score(Verdict.PASSED, {{"acc": 1.0}})
    ask = lambda sample: Generate(sample.prompt)
    yield Task("long", 1, samples, ask, score, {{"acc": mean_of("acc")}})
"""


class Page:
    """A page as its readers have it: by the keys of its files."""

    def __init__(self, folder):
        self.folder = folder
        text = (folder / "data" / "board.js").read_text(encoding="ascii")
        found = re.fullmatch(r'bench\.put\("board",(.*)\);\n', text, re.DOTALL)
        self.board = json.loads(found[1])
        self.names = [one["name"] for one in self.board["entries"]]

    def load(self, key):
        text = (self.folder / "data" / f"{key}.js").read_text(encoding="ascii")
        found = re.fullmatch(r'bench\.zip\("([a-z0-9/-]+)","([A-Za-z0-9+/=]+)"\);\n', text)
        assert found[1] == key
        return json.loads(gzip.decompress(base64.b64decode(found[2])))

    def at(self, name):
        return self.names.index(name)


def build(runs, out, *options):
    done = bench("leaderboard", *runs, "--out", out, *options)
    assert done.returncode == 0, done.stderr
    return Page(out)


def refused(runs, out, *options, **more):
    done = bench("leaderboard", *runs, "--out", out, *options, **more)
    assert done.returncode in {2, 3}
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"))[:2]


@pytest.fixture(scope="module")
def page(pair, tmp_path_factory):
    return build(pair, tmp_path_factory.mktemp("built") / "page", "--title", "A <b>title</b>")


def own(pair, name):
    return f"file/{pair[0].parent}/own.py/{name}"


def by_key(records):
    return {(one["task"], one["sample"], one["draw"]): one for one in records}


def test_the_board_says_what_the_summaries_say(page, pair):
    board = page.board
    assert board["title"] == "A <b>title</b>"
    assert board["verdicts"] == [verdict.value for verdict in Verdict]
    assert [run["name"] for run in board["runs"]] == [run.name for run in open_runs(pair)]
    assert board["runs"][1]["usage"] == {
        "prompt_tokens": 120_000,
        "completion_tokens": 9_000,
        "cost": 0.12,
    }
    for run, folder in enumerate(pair):
        summary = json.loads((folder / "summary.json").read_text())
        said = summary["tasks"] | summary["groups"]
        assert {page.names[int(e)] for e in board["results"][run]} == set(said)
        for e, result in board["results"][run].items():
            entry = said[page.names[int(e)]]
            assert result["v"] == entry["verdicts"]
            assert result["u"] == entry["unscored"]
            for metric, numbers in entry["metrics"].items():
                wanted = [numbers[part] for part in ("value", "low", "high", "n")]
                assert result["m"][metric] == pytest.approx(wanted, rel=1e-5)
            assert ("gap" in result) == ("gap" in entry)
    weigh = board["entries"][page.at(own(pair, "weigh"))]
    assert (weigh["metrics"], weigh["lower"]) == (["loss", "acc"], ["loss"])
    german = board["entries"][page.at("humaneval_xl/go/German")]
    assert page.names[german["baseline"]] == "humaneval_xl/go/English"
    group = board["entries"][page.at("humaneval_xl/*/Slavic")]
    assert group["by"] == "language family"
    assert all(page.names[at].endswith("/Russian") for at in group["tasks"])
    assert {page.names[at] for at in board["main"]} >= {"humaneval_xl", "xstest/safe"}


def test_indices_have_every_sample_with_its_verdict_and_value(page, pair):
    for name in (own(pair, "echo"), own(pair, "weigh"), "humaneval_xl/go/Chinese", "xstest/safe"):
        at = page.at(name)
        index = page.load(f"index/{at}/0")
        metric = page.board["entries"][at]["metrics"][0].partition("@")[0]
        assert page.board["samples"][str(at)]["n"] == len(index["ids"])
        for run, folder in enumerate(pair):
            scores = {
                one["sample"]: one for one in lines(folder / "scores.jsonl") if one["task"] == name
            }
            assert set(index["ids"]) == set(scores)
            letters, values = index["runs"][str(run)]["v"], index["runs"][str(run)]["x"]
            for sample, group, letter, value in zip(
                index["ids"], index["groups"], letters, values, strict=True
            ):
                score = scores[sample]
                assert page.board["verdicts"][ord(letter) - ord("a")] == score["verdict"]
                assert group == score["group"]
                wanted = score["values"].get({"pass": "passed"}.get(metric, metric))
                assert value == wanted


def test_answers_are_those_of_the_run(page, pair):
    for run, folder in enumerate(pair):
        responses = by_key(lines(folder / "responses.jsonl"))
        for score in lines(folder / "scores.jsonl"):
            at = page.at(score["task"])
            place = page.load(f"index/{at}/0")["ids"].index(score["sample"])
            [draw] = page.load(f"answers/{run}/{at}/0")[place]
            response = responses[score["task"], score["sample"], 0]
            assert draw["text"] == response.get("texts", [""])[0]
            assert draw["thinking"] == response.get("thinking", "")
            assert draw["tokens"] == [response["prompt_tokens"], response["completion_tokens"]]
            sums = [
                [one["sum"], one["tokens"], one["greedy"]] for one in response.get("logprobs", [])
            ]
            assert draw["logprobs"] == sums
            for part in ("verdict", "values", "extracted", "detail"):
                assert draw[part] == score[part]


def test_questions_are_rendered_anew_and_missing_ones_say_why(page, pair):
    at = page.at(own(pair, "echo"))
    samples = page.load(f"samples/{at}/0")
    assert [one["prompt"] for one in samples] == [[["", f"Say again: {text}"]] for text in HOSTILE]
    assert [one["target"] for one in samples] == [f"target {text}" for text in HOSTILE]
    weighed = page.load(f"samples/{page.at(own(pair, 'weigh'))}/0")
    assert weighed[0]["choices"] == [[HOSTILE[0], " yes"], [HOSTILE[0], f" {HOSTILE[0]}"]]
    for one in page.load(f"samples/{page.at('xstest/safe')}/0"):
        assert one["prompt"] is None
        assert "xstest/xstest_prompts.csv is not at hand" in one["why"]


def test_what_a_judge_said_stands_beside_the_answer(page, pair):
    [name] = [name for name in page.names if name.startswith("versus/")]
    said = [one["texts"][0] for one in lines(pair[0] / "judgements.jsonl")]
    answers = page.load(f"answers/0/{page.at(name)}/0")
    found = [word for [draw] in answers for word in draw["judge"]]
    assert sorted(word["text"] for word in found) == sorted(said)
    for [draw] in answers:
        assert all(draw["text"].strip() in word["prompt"] for word in draw["judge"])


def test_every_pair_is_compared_as_bench_compare_does_it(page, pair):
    assert page.board["pairs"] == [[0, 1]]
    comparison = compare(*open_runs(pair))
    rows = page.load("pairs/0-1")
    names = {page.names[int(e)] for e in rows}
    assert names == {
        name for name in (comparison.tasks | comparison.groups) if comparison.chosen(name)
    }
    for e, row in rows.items():
        one = comparison.chosen(page.names[int(e)])
        numbers = one.value, one.low, one.high, one.n, one.p, one.p_holm, one.detectable
        assert [*row[:7], *row[8:]] == [*map(short, numbers), short(one.base), short(one.candidate)]
        assert row[7] == one.verdict()


def test_nothing_in_the_files_can_act(page):
    script = (page.folder / "data" / "board.js").read_text(encoding="ascii")
    assert "<" not in script
    for file in (page.folder / "data").rglob("*.js"):
        assert re.fullmatch(r"(board|(index|samples)/\d+/\d+|answers/\d+/\d+/\d+|pairs/\d+-\d+)\.js",
                            str(file.relative_to(page.folder / "data")))  # fmt: skip
    head = (page.folder / "index.html").read_text()
    assert "A &lt;b&gt;title&lt;/b&gt;" in head
    assert "<img" not in head


def test_questions_of_a_data_set_come_from_its_folder(data_dir, tmp_path):
    names = ["humaneval_xl/python/English", "xstest/safe"]
    run = write_run(tmp_path / "run", names, data_dir=data_dir, limit=3)
    text = (run / "manifest.json").read_text().replace(str(data_dir), str(tmp_path / "gone"))
    (run / "manifest.json").write_text(text)
    assert build([run], tmp_path / "without").load("samples/0/0")[0]["prompt"] is None
    found = build([run], tmp_path / "with", "--data-dir", data_dir)
    for at, task in enumerate(registry.select(",".join(names))):
        samples = list(task.samples(Data(data_dir)))[:3]
        shown = found.load(f"samples/{at}/0")
        assert [one["prompt"][0][1] for one in shown] == [task.ask(s).prompt for s in samples]


def test_runs_that_asked_otherwise_have_questions_of_their_own(tmp_path):
    name = f"{write_own(tmp_path)}/echo"
    runs = [
        write_run(tmp_path / "plain", [name], limit=None),
        write_run(tmp_path / "few", [name], "few", limit=3),
        write_run(tmp_path / "chat", [name], "chat", chat=True, limit=5),
    ]
    page = build(runs, tmp_path / "page")
    samples = page.load("samples/0/0")
    assert "otherwise" not in samples[5]
    [other] = samples[1]["otherwise"]  # the same words to the second run need not be repeated
    assert other["runs"] == [2]
    assert other["prompt"] == [["system", "You are an echo."], ["user", HOSTILE[1]]]
    assert page.load("index/0/0")["runs"]["1"]["v"][3:] == "-" * (len(HOSTILE) - 3)
    assert page.load("answers/1/0/0")[3:] == [[]] * (len(HOSTILE) - 3)
    classes = page.board["classes"]["0"]
    assert sorted(run for one in classes for run in one["runs"]) == [0, 1, 2]
    assert classes[0]["why"] == ""
    assert all(one["why"] for one in classes[1:])


def test_every_draw_is_there_and_the_last_record_of_one_counts(tmp_path):
    name = f"{write_own(tmp_path)}/echo"
    run = write_run(tmp_path / "run", [name], n=3, temperature=1.0)
    first, *_ = lines(run / "scores.jsonl")
    again = {**first, "detail": "scored again"}
    with (run / "scores.jsonl").open("a") as file:
        file.write(json.dumps(again) + "\n")
    page = build([run], tmp_path / "page")
    place = page.load("index/0/0")["ids"].index(first["sample"])
    draws = page.load("answers/0/0/0")[place]
    assert [draw["detail"] for draw in draws] == ["scored again", "", ""]
    texts = {one["draw"]: one["texts"][0] for one in lines(run / "responses.jsonl")
             if one["sample"] == first["sample"]}  # fmt: skip
    assert [draw["text"] for draw in draws] == [texts[0], texts[1], texts[2]]


@pytest.mark.parametrize("change", ["prompts", "version"])
def test_questions_that_may_be_others_are_not_shown(tmp_path, change):
    name = f"{write_own(tmp_path)}/echo"
    run = write_run(tmp_path / "run", [name])
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["tasks"][name][change] = {"prompts": "0" * 64, "version": 2}[change]
    (run / "manifest.json").write_text(json.dumps(manifest))
    page = build([run], tmp_path / "page")
    said = {"prompts": "is not what the run asked", "version": "version 2 was run"}[change]
    samples = page.load("samples/0/0")
    assert len(samples) == len(HOSTILE)
    assert all(one["prompt"] is None and said in one["why"] for one in samples)


def test_a_run_of_a_task_that_is_gone_keeps_its_answers(tmp_path):
    name = f"{write_own(tmp_path)}/echo"
    run = write_run(tmp_path / "run", [name])
    (tmp_path / "own.py").unlink()
    page = build([run], tmp_path / "page")
    assert "no such file" in page.load("samples/0/0")[0]["why"]
    assert len(page.load("answers/0/0/0")) == len(HOSTILE)


def test_many_samples_are_cut_into_pieces_in_their_order(tmp_path):
    (tmp_path / "own.py").write_text(LONG.format(length=10, count=620))
    run = write_run(tmp_path / "run", [f"file/{tmp_path}/own.py/long"], limit=None)
    page = build([run], tmp_path / "page")
    assert page.board["samples"]["0"] == {"n": 620, "index": drilldown.INDEX, "piece": 250}
    ids = page.load("index/0/0")["ids"]
    assert ids == [str(at) for at in range(620)]
    shown = [one["id"] for piece in range(3) for one in page.load(f"samples/0/{piece}")]
    assert shown == ids
    assert [len(page.load(f"answers/0/0/{piece}")) for piece in range(3)] == [250, 250, 120]
    assert not (page.folder / "data/samples/0/3.js").exists()


def test_long_texts_make_small_pieces_and_very_long_ones_are_cut(tmp_path):
    (tmp_path / "own.py").write_text(LONG.format(length=1_000_000, count=4))
    run = write_run(tmp_path / "run", [f"file/{tmp_path}/own.py/long"])
    page = build([run], tmp_path / "page")
    [[_, prompt]] = page.load("samples/0/0")[0]["prompt"]
    assert prompt.startswith("x" * 100_000 + "…")
    assert "cut at 100,000 of 1,000,000 characters" in prompt
    assert page.board["samples"]["0"]["piece"] < 10


def test_other_processes_write_the_same_files(pair, page, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "LARGE", 0)
    out = tmp_path / "page"
    writing.write_page(board(open_runs(pair)), out, "A <b>title</b>")
    ours = {file.relative_to(out): file.read_bytes() for file in out.rglob("data/*/**/*.js")}
    theirs = {
        file.relative_to(page.folder): file.read_bytes()
        for file in page.folder.rglob("data/*/**/*.js")
    }
    assert ours == theirs


def test_a_page_is_replaced_and_other_things_are_not(pair, tmp_path):
    out = tmp_path / "page"
    build(pair, out, "--task", "xstest")
    stale = out / "data" / "index" / "7"
    stale.mkdir()
    assert build(pair, out, "--task", f"{own(pair, 'echo')}").names == [own(pair, "echo")]
    assert not stale.exists()
    (out / "CNAME").write_text("board.example")
    assert "holds other things than a page (CNAME)" in refused(pair, out)
    assert (out / "index.html").exists()
    assert "(judgements.jsonl)" in refused(pair, pair[0])
    assert "Not a directory" in refused(pair, out / "CNAME")
    assert [file.name for file in tmp_path.iterdir()] == ["page"]


def test_runs_that_cannot_be_read_are_named(pair, tmp_path):
    run = write_run(tmp_path / "run", [own(pair, "echo")])
    out = tmp_path / "page"
    guard = os.open(run, os.O_RDONLY)
    fcntl.flock(guard, fcntl.LOCK_EX)
    assert f"{run}: a bench process is writing to it" in refused([run], out)
    os.close(guard)
    with (run / "scores.jsonl").open("a") as file:
        file.write('{"key": "00", "task"\n')
    assert f"{run}/scores.jsonl:{len(HOSTILE) + 1}: damaged" in refused([run, pair[0]], out)
    (run / "scores.jsonl").write_text((run / "scores.jsonl").read_text().rpartition("{")[0])
    with (run / "responses.jsonl").open("a") as file:
        file.write('{"key": "00", "task": 7\n')
    assert f"{run}/responses.jsonl:{len(HOSTILE) + 1}: damaged" in refused([run], out)
    assert "no such folder" in refused([tmp_path / "gone"], out)
    assert not out.exists()


def test_a_disk_that_fills_leaves_the_old_page(pair, page, tmp_path):
    out = tmp_path / "page"
    build(pair, out, "--task", "xstest")
    before = (out / "data" / "board.js").read_bytes()
    done = subprocess.run(
        [BENCH, "leaderboard", *pair, "--out", out],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith(f"bench: --out {out}: File too large")
    assert done.stderr.count("\n") == 1
    assert (out / "data" / "board.js").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["page"]


def test_imported_numbers_stand_on_the_page_without_questions(pair, tmp_path):
    old = tmp_path / "old.jsonl"
    old.write_text("".join(json.dumps({"id": str(at), "score": at % 2}) + "\n" for at in range(9)))
    done = bench("import", old, "--out", tmp_path / "old", "--task", "made/up")
    assert done.returncode == 0, done.stderr
    page = build([tmp_path / "old", pair[0]], tmp_path / "page")
    assert [run["imported"] for run in page.board["runs"]] == ["predictions", ""]
    at = page.at("made/up")
    assert page.load(f"samples/{at}/0")[0]["why"] == "imported from predictions"
    assert page.load(f"index/{at}/0")["runs"]["0"]["v"] == "babababab"
    assert not (page.folder / f"data/answers/1/{at}").exists()
