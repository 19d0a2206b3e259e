"""Probes divided by how many tokens their words have, after a run and by any model's tokenizer."""

import json
from collections import Counter

import pytest
from command_line import bench, lines
from tiny_models import llama, save, spaced_tokenizer

from bench.harness import Data, registry

PROBES = ("tkeval/nth_char/1-6", "tkeval/case_conversion/7-12", "quickstart/tokenization/reverse")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save(tmp_path_factory.mktemp("models") / "tiny", llama())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose answers are all one letter, which is right now and then."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "answers.jsonl").write_text('{"text": " e"}\n')
    done = bench(
        "run", "--model", f"scripted:{folder / 'answers.jsonl'}", "--tasks", ",".join(PROBES),
        "--limit", 30, "--out", folder / "R", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "R"


def tokens_of(word):
    count = len(spaced_tokenizer().encode(word, add_special_tokens=False))
    return {1: "1 token", 2: "2 tokens", 3: "3 tokens"}.get(count, "4+ tokens")


def test_every_probe_names_its_word():
    for task in registry.select("tkeval,quickstart/tokenization"):
        if task.name.count("/") == 2:
            for sample in task.samples(Data()):
                assert sample.data["word"] == sample.id
                assert sample.data["word"] in sample.prompt


@pytest.mark.slow
def test_samples_stand_with_words_of_as_many_tokens(run, tiny):
    done = bench("show", run, "--tokens-of", tiny, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = Counter(
        f"{row['task']}/{tokens_of(row['sample'])}" for row in lines(run / "scores.jsonl")
    )
    assert len(expected) > 4
    assert {name: sum(e["verdicts"].values()) for name, e in found["tasks"].items()} == expected
    right = Counter(
        tokens_of(row["sample"])
        for row in lines(run / "scores.jsonl")
        if row["task"].startswith("tkeval") and row["values"]["em"]
    )
    for name in {name.rpartition("/")[2] for name in expected if name.startswith("tkeval")}:
        group = found["groups"].get(f"tkeval/*/{name}")
        if group:
            assert group["by"] == "tokens a word"
            numbers = group["metrics"]["em (micro)"]
            assert round(numbers["value"] * numbers["n"]) == right[name]
    assert "by tokens a word" in bench("show", run, "--tokens-of", tiny).stdout


@pytest.mark.slow
def test_what_cannot_be_divided_is_one_line(run):
    done = bench("show", run, "--tokens-of", f"scripted:{run.parent / 'answers.jsonl'}")
    assert done.returncode == 2
    assert "its tokenizer is not at hand" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_run_without_words_is_told_so(tiny, run, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from bench.harness import Generate, Sample, Score, Task, Verdict\n"
        "from bench.harness.stats import mean_of\n"
        "def tasks():\n"
        "    yield Task('x', 1, lambda data: [Sample('1', 'dog')], lambda s: Generate(s.prompt),\n"
        "        lambda s, r, _: Score(Verdict.PASSED, {'a': 1.0}), {'a': mean_of('a')})\n"
    )
    model, name = f"scripted:{run.parent / 'answers.jsonl'}", f"file/{tmp_path}/mine.py"
    made = bench("run", "--model", model, "--tasks", name, "--out", tmp_path / "R")
    assert made.returncode == 0, made.stderr
    done = bench("show", tmp_path / "R", "--tokens-of", tiny)
    assert done.returncode == 2
    assert "is about single words" in done.stderr
