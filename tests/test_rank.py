"""`bench rank`: runs that were judged beside one another, as a ranking."""

import json
import shutil
from dataclasses import replace
from io import StringIO

import pytest
from command_line import bench
from rich.console import Console
from run_folders import task, write_run

from bench.harness import Verdict
from bench.harness.errors import BenchError
from bench.harness.ranking import Game, rank
from bench.harness.store import SCORES, SUMMARY, read_records, write_json
from bench.harness.summary import summarize
from bench.leaderboards.games import leagues
from bench.leaderboards.rank_tables import render, sentences
from bench.leaderboards.runs import open_runs
from bench.tasks import pairwise
from bench.tasks.pairwise import TIE, UNREAD, Comparison

JUDGE = {"name": "judge", "revision": "1"}
WON, LOST = 1, 2
FAILED = None


def known(model, **other):
    sampling = {"n": 1, "temperature": None, "max_tokens": None, "seed": 0, "limit": None}
    identity = {"name": model, "backend": "scripted"}
    return {"model": identity, "format": "completion", "sampling": sampling} | other


def judged(folder, model, games, *, judge=JUDGE, inner="xsum", version=1, **other):
    """Write a run of a model whose answers were judged: {opponent: what was said by document}.

    Instead of an opponent's model, pairs may begin with all that a manifest says of it.
    """
    played = [
        (one if isinstance(one, dict) else known(one, folder=f"runs/{one}"), said)
        for one, said in (games.items() if isinstance(games, dict) else games)
    ]
    said = {f"versus/{one['folder']}/{inner}": those for one, those in played}
    opponents = {f"versus/{one['folder']}/{inner}": {"task": inner, **one} for one, _ in played}
    write_run(
        folder,
        {name: dict.fromkeys(map(str, range(len(each))), (1.0, "")) for name, each in said.items()},
        model,
        judge=judge,
        opponents=opponents,
        **other,
    )
    scores = [
        {**record, **_scored(said[record["task"]][int(record["sample"])]), "group": _group(record)}
        for record in read_records(folder / SCORES)
    ]
    (folder / SCORES).write_text("".join(json.dumps(row) + "\n" for row in scores))
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["tasks"].values():
        entry["version"] = version
    write_json(folder / "manifest.json", manifest)
    tasks = [replace(task(name), metrics=pairwise.metrics()) for name in said]
    write_json(folder / SUMMARY, summarize(tasks, scores, 1))
    return folder


def _group(record):
    """Half of the documents name their group, the others stand alone."""
    return "" if int(record["sample"]) % 2 else f"paper/{record['sample']}"


def _scored(said):
    if said is FAILED:
        return {"verdict": Verdict.INFRASTRUCTURE_ERROR, "values": {}}
    first = None if said == UNREAD else 1.0 if said == TIE else 0.5
    found = Comparison(said, first, float(said == UNREAD), ())
    verdict = Verdict.JUDGE_UNPARSABLE if said == UNREAD else Verdict.PASSED
    return {"verdict": verdict, "values": pairwise.values("", found)}


def only(*folders):
    [league] = leagues(open_runs(folders))
    return league


def test_runs_are_joined_to_the_games_that_were_played(tmp_path):
    b = judged(tmp_path / "b", "b", {"a": [WON, WON, TIE, WON, LOST, WON]})
    c = judged(tmp_path / "c", "c", {"a": [LOST] * 5 + [WON], "b": [LOST, TIE] * 3})
    found = only(b, c)
    documents = [f"paper/{n}" if n % 2 == 0 else f"xsum\n{n}" for n in range(6)]
    games = [
        *map(Game, documents, "bbbbbb", "aaaaaa", (1.0, 1.0, 0.5, 1.0, 0.0, 1.0)),
        *map(Game, documents, "cccccc", "aaaaaa", (0.0,) * 5 + (1.0,)),
        *map(Game, documents, "cccccc", "bbbbbb", (0.0, 0.5) * 3),
    ]
    assert found.standings == rank(games)
    assert [each.system for each in found.standings] == ["b", "a", "c"]
    pair = found.between("b", "c")
    rates = [pair.estimate(name).value for name in ("win_rate", "win", "tie", "lose")]
    assert rates == pytest.approx([0.75, 0.5, 0.5, 0])
    assert pair.estimate("first_place").value == pytest.approx(0.75)
    turned = found.between("c", "b")
    assert [turned.estimate(name).value for name in ("win", "lose")] == [0, 0.5]


def test_a_pair_that_is_judged_from_both_sides_counts_once(tmp_path):
    said = [WON, WON, TIE, LOST, WON]
    b = judged(tmp_path / "b", "b", {"a": said})
    a = judged(tmp_path / "a", "a", {"b": [{WON: LOST, LOST: WON}.get(one, one) for one in said]})
    alone, both = only(b), only(b, a)
    assert both.standings == alone.standings
    assert both.between("a", "b").estimate("win") == alone.between("a", "b").estimate("win")
    assert len(both.between("a", "b").samples) == 5


def test_what_could_not_be_scored_is_counted_and_widens_the_interval(tmp_path):
    found = only(judged(tmp_path / "b", "b", {"a": [WON, UNREAD, LOST, FAILED, TIE, WON]}))
    pair = found.between("b", "a")
    assert (pair.scored, len(pair.samples)) == (4, 6)
    won = pair.estimate("win_rate")
    assert (won.value, won.n) == (2.5 / 4, 6)
    assert won.low < 2.5 / 6 < 4.5 / 6 < won.high
    assert pair.estimate("unread").value == 1 / 5
    assert any("2 of 6 pairs of answers could not be scored" in one for one in sentences(found))


def test_a_judge_that_goes_by_place_is_called_so(tmp_path):
    found = only(judged(tmp_path / "b", "b", {"a": [TIE] * 30}))
    [said, unknown] = sentences(found)
    assert "1.000 of the time (0.886 to 1.000" in said
    assert "goes by place" in said
    assert unknown.startswith("No interval for the strength of a, b:")
    fair = only(judged(tmp_path / "c", "c", {"a": [WON, LOST] * 15}))
    assert "goes by place" not in sentences(fair)[0]
    weighs = {**JUDGE, "gives": "rewards"}
    rewards = only(judged(tmp_path / "d", "d", {"a": [WON, LOST] * 15}, judge=weighs))
    assert "no position bias" in sentences(rewards)[0]


def test_one_model_that_is_asked_in_two_ways_is_two_systems(tmp_path):
    chat = known("a", folder="runs/chat", format="chat")
    seeded = known("b", folder="runs/seeded")
    seeded["sampling"] = {**seeded["sampling"], "seed": 7, "limit": 3}
    folder = judged(tmp_path / "plain", "a", [(chat, [WON, TIE]), (seeded, [WON, TIE])])
    wanted = {"a (plain)", "a (chat)", "b"}
    assert {each.system for each in only(folder).standings} == wanted
    again = judged(tmp_path / "again", "b", [(chat, [WON, LOST])])
    assert {each.system for each in only(folder, again).standings} == wanted  # b is one system


def test_each_task_has_a_ranking_of_its_own(tmp_path):
    papers = judged(tmp_path / "b", "b", {"a": [WON, TIE]})
    talks = judged(tmp_path / "c", "c", {"a": [LOST, TIE]}, inner="talks")
    found = leagues(open_runs([papers, talks]))
    assert [(each.task, len(each.standings)) for each in found] == [("xsum", 2), ("talks", 2)]


def refused(*folders):
    with pytest.raises(BenchError) as caught:
        assert [each.standings for each in leagues(open_runs(folders))]
    [line] = str(caught.value).splitlines()
    return line


def test_what_cannot_be_ranked_is_refused_in_one_line(tmp_path):
    b = judged(tmp_path / "b", "b", {"a": [WON, LOST]})
    plain = write_run(tmp_path / "plain", {"xsum": {"1": 1.0}}, "plain")
    assert "judged beside another run's. Run versus/RUN/TASK" in refused(b, plain)
    apart = judged(tmp_path / "d", "d", {"c": [WON, LOST]})
    assert "no chain of games joins a, b and c, d. Judge answers" in refused(b, apart)
    done = bench("rank", b, apart)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"bench: {refused(b, apart)}\n"
    unread = judged(tmp_path / "u", "u", {"a": [UNREAD, UNREAD]})
    assert "joins a, b and u. 2 pairs of answers between them" in refused(b, unread)
    other = {"name": "another", "revision": "2"}
    judges = judged(tmp_path / "j", "c", {"a": [WON]}, judge=other)
    assert "judged by another 2, and " in refused(b, judges)
    assert "b stands against itself" in refused(judged(tmp_path / "s", "b", {"b": [TIE]}))
    newer = judged(tmp_path / "v", "c", {"a": [WON]}, version=2)
    assert "not the same xsum as in " in refused(b, newer)
    assert "no such folder" in refused(tmp_path / "nowhere")
    (b / SUMMARY).unlink()
    assert "not finished" in refused(b)


def test_data_that_changed_between_two_runs_is_refused(tmp_path):
    data = [{"xsum/test.jsonl": digest * 64} for digest in "01"]
    folders = [
        judged(tmp_path / name, name, {"a": [WON, LOST]}, data=each)
        for name, each in zip("bc", data, strict=True)
    ]
    assert "(the data file xsum/test.jsonl differs)" in refused(*folders)


def test_names_are_shown_as_they_are(tmp_path):
    hostile = "[red]\x1b[31m<b>\u202e/a"
    found = only(
        judged(tmp_path / "b", "b", {"a": [WON, LOST]}, model_name=None) and tmp_path / "b"
    )
    assert found.standings
    folder = judged(tmp_path / "h", hostile, {"a": [WON, TIE, LOST], "b": [WON, TIE, LOST]})
    console = Console(file=StringIO(), width=110)
    console.print(render(only(folder)))
    shown = console.file.getvalue()
    assert "[red]" in shown
    assert "\x1b" not in shown and "\u202e" not in shown


def test_many_systems_fit_into_the_tables(tmp_path):
    names = [f"model-{n:02}" for n in range(12)]
    folders = [
        judged(tmp_path / name, name, {other: [WON, TIE, LOST] for other in names[:at]})
        for at, name in enumerate(names)
        if at
    ]
    done = bench("rank", *folders)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 110
    assert done.stdout.count("against model-") == 12 * 11 / 2
    assert "…" not in done.stdout


def script(file, **row):
    file.write_text(json.dumps(row) + "\n")
    return f"scripted:{file}"


@pytest.mark.slow
def test_models_are_run_judged_and_ranked(tmp_path, data_dir):
    judge = script(tmp_path / "judge.jsonl", text="A")
    inner, folders = "scitldr/similarity", []
    for name, text in (("a", "One."), ("b", "Two."), ("c", "")):
        versus = [f"versus/{folder}/{inner}" for folder in folders]
        done = bench(
            *("run", "--model", script(tmp_path / f"{name}.jsonl", text=text)),
            *("--tasks", ",".join([inner, *versus]), "--limit", 7, "--data-dir", data_dir),
            *(["--judge", judge] if versus else []),
            *("--out", tmp_path / name),
        )
        assert done.returncode == 0, done.stderr
        folders.append(tmp_path / name)
    manifest = json.loads((tmp_path / "c" / "manifest.json").read_text())
    opponent = manifest["opponents"][f"versus/{tmp_path}/a/{inner}"]
    assert (opponent["task"], opponent["folder"]) == (inner, f"{tmp_path}/a")
    assert opponent["model"] == json.loads((tmp_path / "a" / "manifest.json").read_text())["model"]
    assert bench("verify", tmp_path / "c").returncode == 0
    shutil.rmtree(tmp_path / "a")  # a ranking needs the judged runs alone
    done = bench("rank", "--json", tmp_path / "b", tmp_path / "c")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    [ranking] = found["rankings"]
    assert [each["rank"] for each in ranking["systems"]] == [1, 1, 3]
    assert ranking["systems"][-1]["system"] == "c.jsonl"
    assert ranking["judge"]["name"] == "judge.jsonl"
    [first, *_] = ranking["pairs"]
    assert (first["tie"]["value"], first["first_place"]["value"], first["scored"]) == (1, 1, 7)
    table = bench("rank", tmp_path / "b", tmp_path / "c").stdout
    assert "0.500 (7)" in table and "1.000 (7)" in table
