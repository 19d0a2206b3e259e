"""WinoBias: sentences as they were, choices, gaps between the sides, damaged files."""

import hashlib
import json
import random
import re
import shutil
from dataclasses import replace

import pytest
from command_line import bench
from lm_eval_peer import evaluated, weigh

from bench.harness import Data, LogProb, Resources, Response, Verdict
from bench.harness.errors import BenchError
from bench.harness.summary import summarize
from bench.tasks import winobias

TASKS = {task.name: task for task in winobias.tasks()}
FIRST = {
    "winobias/type1/pro": "c4973d107ba442c6",
    "winobias/type1/anti": "48e4123a6d890b55",
    "winobias/type2/pro": "9949f07e5d9d7c8e",
    "winobias/type2/anti": "9c0fc30f32464258",
}
"""the beginning of a hash of the first request"""
HE, SHE = {"he", "him", "his"}, {"she", "her"}


@pytest.fixture(scope="module")
def samples(data_dir):
    data = Data(data_dir)
    return {name: list(task.samples(data)) for name, task in TASKS.items()}


@pytest.fixture(scope="module")
def jobs(data_dir):
    """Give the jobs that the paper's lists say are held mostly by men, and by women."""
    return {
        sex: {
            line.strip().lower()
            for line in (data_dir / "winobias" / f"{sex}_occupations.txt").read_text().splitlines()
        }
        for sex in ("male", "female")
    }


def answered(*sums):
    return Response(logprobs=tuple(LogProb(value, 1, greedy=False) for value in sums))


def pronoun(sample):
    return sample.prompt.rpartition("\u2018")[2].partition("\u2019")[0].lower()


def summed(samples, sums):
    """Give the summary of a model that weighs the choices of samples."""
    records = []
    for name, own in samples.items():
        for sample in own:
            score = TASKS[name].score(sample, answered(*sums(sample)), Resources())
            records.append(
                {
                    "task": name,
                    "sample": sample.id,
                    "draw": 0,
                    "group": sample.group,
                    "verdict": score.verdict,
                    "values": score.values,
                    "finish_reason": "",
                    "empty": False,
                }
            )
    return summarize(list(TASKS.values()), records, 1)


@pytest.mark.parametrize("name", FIRST)
def test_sentences_and_first_request_are_as_they_were(name, samples):
    own, task = samples[name], TASKS[name]
    request = task.ask(own[0])
    assert hashlib.sha256(repr(request.pairs).encode()).hexdigest()[:16] == FIRST[name]
    assert len(own) == len({sample.id for sample in own}) == 396
    assert len({sample.group for sample in own}) == 198
    for sample in own:
        assert "[" not in sample.prompt and "]" not in sample.prompt
        assert sample.prompt.endswith("\u2019 refers to the")
        assert pronoun(sample) in HE | SHE
        [(context, one), (other, two)] = task.ask(sample).pairs
        assert context == other == sample.prompt
        assert one != two
        assert sample.prompt.index(one) < sample.prompt.index(two)


def test_the_choices_are_the_jobs_of_the_papers_lists(samples, jobs):
    known = {each.lower() for each in jobs["male"] | jobs["female"]}
    for own in samples.values():
        for sample in own:
            assert {each.lower() for each in sample.data["choices"]} <= known


@pytest.mark.parametrize("name", FIRST)
def test_the_sides_are_what_they_are_called(name, samples, jobs):
    pro = name.endswith("pro")
    for sample in samples[name]:
        held_by_men = sample.target.lower() in jobs["male"]
        assert (held_by_men is (pronoun(sample) in HE)) is pro, sample.id


@pytest.mark.parametrize("kind", winobias.TYPES)
def test_nearly_all_pairs_of_sentences_differ_in_their_pronouns_only(kind, samples):
    def bare(sample):
        return re.sub(r"\b(he|him|his|himself|she|her|herself)\b", "_", sample.prompt.lower())

    pairs = zip(samples[f"winobias/{kind}/pro"], samples[f"winobias/{kind}/anti"], strict=True)
    assert sum(bare(one) != bare(other) for one, other in pairs) == 5


@pytest.mark.parametrize("name", FIRST)
def test_gold_is_right_and_the_other_job_is_wrong(name, samples):
    task = TASKS[name]
    for sample in samples[name]:
        [right] = sample.data["right"]
        for chosen in (0, 1):
            sums = [-1.0 if place == chosen else -9.0 for place in (0, 1)]
            score = task.score(sample, answered(*sums), Resources())
            assert score.verdict is (Verdict.PASSED if chosen == right else Verdict.WRONG)
        assert task.gold(sample) == task.ask(sample).pairs[right][1] == f" {sample.target}"


def test_a_model_that_goes_by_stereotypes_has_the_whole_gap(samples, jobs):
    def by_stereotype(sample):
        men = pronoun(sample) in HE
        return [
            -1.0 if (each.lower() in jobs["male"]) is men else -9.0
            for each in sample.data["choices"]
        ]

    found = summed(samples, by_stereotype)
    for name in FIRST:
        expected = 1.0 if name.endswith("pro") else 0.0
        assert found["tasks"][name]["metrics"]["acc"]["value"] == expected
    for entry in (found["tasks"]["winobias/type1/pro"], found["groups"]["winobias/*/pro"]):
        gap = entry["gap"]["metrics"]["acc"]
        assert gap["value"] == 1.0
        assert gap["low"] > 0.95
    assert found["tasks"]["winobias/type2/pro"]["gap"]["to"] == "winobias/type2/anti"
    assert "gap" not in found["tasks"]["winobias/type1/anti"]


def test_models_that_guess_or_prefer_neither_or_one_job_are_fair_and_at_chance(samples):
    noise = random.Random(11)
    for sums in (
        lambda _: (noise.random(), noise.random()),
        lambda _: (-3.0, -3.0),
        lambda sample: [-float(len(each)) for each in sample.data["choices"]],
    ):
        found = summed(samples, sums)
        for name in FIRST:
            entry = found["tasks"][name]
            assert abs(entry["metrics"]["acc"]["value"] - 0.5) < 3.5 * 0.5 / 396**0.5
            if "gap" in entry:
                gap = entry["gap"]["metrics"]["acc"]
                assert abs(gap["value"]) < 3.5 * (0.5 / 396) ** 0.5


@pytest.mark.slow
def test_it_is_asked_as_lm_eval_asks_winogender(tmp_path, samples):
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    own = samples["winobias/type1/pro"][:40]
    rows = []
    for sample in own:
        sentence = sample.prompt.rpartition(" \u2018")[0]
        one, two = sample.data["choices"]
        row = {"sentence": sentence, "pronoun": pronoun(sample), "label": sample.data["right"][0]}
        rows.append({**row, "occupation": one, "participant": two})
    asked, accuracies, _ = evaluated("winogender_all", tmp_path, 0, test=rows)
    task = TASKS["winobias/type1/pro"]
    pairs = [task.ask(sample).pairs for sample in own]
    assert [pair for both in pairs for pair in both] == asked
    found = [
        task.score(sample, answered(*(weigh(*pair) for pair in both)), Resources()).values["acc"]
        for sample, both in zip(own, pairs, strict=True)
    ]
    assert found == accuracies
    assert 0 < sum(found) < len(found)


def changed(folder, data_dir, number, line):
    """Copy a file and put something else in the place of a line."""
    (folder / "winobias").mkdir()
    name = "pro_stereotyped_type1.txt.test"
    lines = (data_dir / "winobias" / name).read_text().split("\n")
    lines[number - 1] = line
    (folder / "winobias" / name).write_text("\n".join(lines))
    return Data(folder)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "not 396 sentences with marked mentions"),
        ("7 Nobody is marked.", "not 396 sentences with marked mentions"),
        ("[The guard] has no number because [he] lost it.", "not 396 sentences"),
        ("7 [The guard] is alone because [he] likes it.", "test:7: not two jobs and a pronoun."),
        ("7 [The guard] saw the baker and left.", "test:7: not two jobs and a pronoun."),
        ("7 [The guard] saw the baker and [they] left.", "test:7: not two jobs and a pronoun."),
        ("7 [The guard] saw the baker, the cook and [him].", "test:7: not two jobs"),
    ],
)
def test_data_of_another_shape_is_one_line(tmp_path, data_dir, monkeypatch, line, said):
    data = changed(tmp_path, data_dir, 7, line)
    with pytest.raises(BenchError, match="sha256"):
        list(TASKS["winobias/type1/pro"].samples(data))
    monkeypatch.setattr(winobias, "SOURCE", replace(winobias.SOURCE, pins=dict))
    with pytest.raises(BenchError, match=re.escape(said)) as caught:
        list(TASKS["winobias/type1/pro"].samples(data))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path, data_dir):
    (tmp_path / "winobias").mkdir()
    shutil.copy(data_dir / "winobias" / "pro_stereotyped_type1.txt.test", tmp_path / "winobias")
    with pytest.raises(BenchError, match=r"pro_stereotyped_type2\.txt\.test: no such file"):
        list(TASKS["winobias/type2/pro"].samples(Data(tmp_path)))


def test_a_run_shows_the_gap_and_is_verified(tmp_path, data_dir):
    script = tmp_path / "model.jsonl"
    script.write_text('{"logprobs": [-1, -2]}\n')
    out = tmp_path / "run"
    done = bench(
        *("run", "--model", f"scripted:{script}", "--tasks", "winobias", "--limit", 40),
        *("--data-dir", data_dir, "--out", out),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert summary["groups"]["winobias/*/pro"]["gap"]["metrics"]["acc"]["value"] == 0
    assert summary["groups"]["winobias/*/pro"]["gap"]["to"] == "winobias/*/anti"
    assert "gap" in done.stdout
    assert bench("verify", out, "--data-dir", data_dir).returncode == 0
