"""CUTE: prompts, labels by rule, its way of taking answers, and runs of right and wrong."""

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import bench
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from bench.harness import Chat, Data, Resources, Response, Sample, Verdict
from bench.harness.errors import BenchError
from bench.tasks import cute

TASKS = {task.name.removeprefix("cute/"): task for task in cute.tasks()}
FIRST = {  # of the prompt, filled in with the first row
    "spell": "f98c65fd36b2b8f3",
    "spell_inverse": "d9176f8c1f82dfd4",
    "contains_char": "323e7e564b24d599",
    "contains_word": "983cd7ccdf074495",
    "orth": "c09e6311267aef69",
    "sem": "56777ce6a47095fd",
    "ins_char": "e88bdc1d2c2b0eb8",
    "ins_word": "7dcf6834658bd0fe",
    "del_char": "b93e2c2307611d95",
    "del_word": "0200f9ede5e71293",
    "sub_char": "e4a105eb5a8610dd",
    "sub_word": "c9be050961d7a143",
    "swap_char": "d409b103664eb6d0",
    "swap_word": "9d6e13ed4fe1ad9b",
    "spell_rand": "1c525d3bc10cbb24",
    "spell_inverse_rand": "dfded0e67ea49471",
    "contains_char_rand": "f43f900a7c58c469",
    "ins_char_rand": "9a90a9bb46a9989d",
    "del_char_rand": "bc5cb5bd9962d7f3",
    "sub_char_rand": "29e63ad1caae4d5e",
    "swap_char_rand": "933b96fa9ef78c66",
}
EDGE = r"(?<![\w'-]){}(?![\w'-])"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def data(data_dir):
    return Data(data_dir)


@pytest.mark.parametrize("name", FIRST)
def test_the_prompts_change_with_the_version_only(name, data):
    assert TASKS[name].version == 2
    samples = list(TASKS[name].samples(data))
    assert len(samples) == len({sample.id for sample in samples}) == 1000
    assert digest(samples[0].prompt) == FIRST[name]
    request = TASKS[name].chat(samples[0])
    assert isinstance(request, Chat)
    assert request.messages[0].text == samples[0].prompt
    assert request.prefix == ' Answer: "'
    assert TASKS[name].ask(samples[0]).prompt == samples[0].prompt + request.prefix
    assert all(len(re.findall(r"^ {12}[1-4]\. ", one.prompt, re.MULTILINE)) == 4 for one in samples)


def test_there_are_21_tasks_on_four_levels():
    assert TASKS.keys() == FIRST.keys()
    levels = [task.groups["level"] for task in TASKS.values()]
    assert {level: levels.count(level) for level in levels} == {
        "cute/*/understanding": 4,
        "cute/*/characters": 5,
        "cute/*/words": 5,
        "cute/*/random letters": 7,
    }


def whole(word, text, sentence):
    return re.sub(EDGE.format(re.escape(word)), text, sentence)


def deleted(word, sentence):
    return re.sub(r"\s+([.,!?;:])", r"\1", re.sub(" +", " ", whole(word, "", sentence)).strip())


RULES = {
    "spell": " ".join,
    "spell_inverse": lambda spelled: spelled.replace(" ", ""),
    "contains_char": lambda char, word: "Yes" if char in word else "No",
    "contains_word": lambda word, text: (
        "Yes" if re.search(EDGE.format(re.escape(word)), text, re.IGNORECASE) else "No"
    ),
    "orth": lambda word, *two: min(two, key=lambda each: Levenshtein.distance(word, each)),
    "ins_char": lambda new, old, word: word.replace(old, old + new),
    "ins_word": lambda new, old, text: whole(old, f"{old} {new}", text),
    "del_char": lambda char, word: word.replace(char, ""),
    "del_word": deleted,
    "sub_char": lambda old, new, word: word.replace(old, new),
    "sub_word": whole,
    "swap_char": lambda one, two, word: word.translate(str.maketrans(one + two, two + one)),
    "swap_word": lambda one, two, text: re.sub(
        EDGE.format(f"(?:{re.escape(one)}|{re.escape(two)})"),
        lambda found: two if found[0] == one else one,
        text,
    ),
}
DAMAGED = {"contains_word": 1, "ins_word": 9, "del_word": 9, "sub_word": 9, "swap_word": 9}


@pytest.mark.parametrize("name", [name for name in FIRST if name != "sem"])
def test_the_labels_follow_from_rules(name, data):
    form = name.removesuffix("_rand")
    wrong = 0
    for row in data.table(cute.SOURCE, f"{name}.tsv", delimiter="\t"):
        *inputs, label = row.values()
        expected = RULES[form](*inputs)
        nearest = form == "orth" and len({Levenshtein.distance(inputs[0], w) for w in inputs[1:]})
        wrong += expected.lower() != label.lower() and nearest != 1
    assert wrong == DAMAGED.get(form, 0)


@pytest.mark.parametrize("name", [name for name in cute.FORMS if name != "sem"])
def test_the_examples_follow_from_rules(name):
    for *inputs, answer in cute.FORMS[name].inputs:
        assert RULES[name](*inputs) == answer


@pytest.mark.parametrize("name", FIRST)
def test_no_example_is_about_a_word_that_is_asked(name, data):
    form = cute.FORMS[name.removesuffix("_rand")]
    rows = data.table(cute.SOURCE, f"{name}.tsv", delimiter="\t")
    asked = {list(row.values())[form.subject] for row in rows}
    shown = [example[form.subject] for example in form.inputs]
    assert len(shown) == 4
    assert asked.isdisjoint(shown)


def theirs(text):
    """Take an answer out of a text as CUTE's program does."""
    try:
        return text.split("Answer:")[-1].split("</s>")[0].split('"')[1].strip()
    except IndexError:
        return ""


@given(st.lists(st.sampled_from(['"', "Answer:", " ", "a b", "Yes", "\n", ".", "answer"])))
def test_an_answer_is_taken_as_cute_does(parts):
    said = "".join(parts)
    assert cute.quoted(f"{cute.PREFIX}{said}") == theirs(f"{cute.PREFIX}{said}")


@pytest.mark.parametrize(
    ("target", "text", "reason", "verdict"),
    [
        ("t h e", ' Answer: "t h e" I hope that helps!', "stop", Verdict.PASSED),
        ("t h e", ' Answer: " t h e', "length", Verdict.PASSED),  # CUTE does not ask for its end
        ("t h e", "t h e", "stop", Verdict.PASSED),  # a completion, which is stopped at the quote
        ("t h e", ' Answer: "The" or better: Answer: "t h e"', "stop", Verdict.PASSED),
        ("t h e", ' Answer: "T H E"', "stop", Verdict.WRONG),
        ("t h e", " Answer: t h e", "stop", Verdict.NO_ANSWER),
        ("t h e", ' Answer: ""', "stop", Verdict.NO_ANSWER),
        ("t h e", "", "stop", Verdict.NO_ANSWER),
        ("t h e", "", "length", Verdict.TRUNCATED),
    ],
)
def test_scores(target, text, reason, verdict):
    sample = Sample("0", target=target, data={"cased": True})
    score = cute.score(sample, Response(text, reason), Resources())
    assert score.verdict is verdict
    assert score.values == {"em": float(verdict is Verdict.PASSED)}


def test_capitals_count_where_letters_do(data):
    for name, passed in (("sub_word", True), ("sub_char", False)):
        sample = next(iter(TASKS[name].samples(data)))
        upper = Response(f'{cute.PREFIX}{sample.target.upper()}"', "stop")
        assert TASKS[name].score(sample, upper, Resources()).values == {"em": float(passed)}


@pytest.mark.parametrize("name", FIRST)
def test_the_gold_answer_is_right_and_that_of_another_row_wrong(name, data):
    task = TASKS[name]
    samples = list(task.samples(data))
    for sample, other in zip(samples, [*samples[1:], samples[0]], strict=True):
        for prefix in ("", cute.PREFIX):
            response = Response(prefix + task.gold(sample), "stop")
            assert task.score(sample, response, Resources()).verdict is Verdict.PASSED
        said = Response(task.gold(other), "stop")
        same = sample.target.lower() == other.target.lower()
        assert task.score(sample, said, Resources()).values["em"] == same


def test_a_damaged_or_missing_file_is_one_line(data_dir, tmp_path, monkeypatch):
    folder = tmp_path / "cute"
    folder.mkdir()
    with pytest.raises(BenchError, match=r"cute/spell\.tsv: no such file"):
        TASKS["spell"].samples(Data(tmp_path))
    file = Path(shutil.copy(data_dir / "cute" / "spell.tsv", folder))
    text = file.read_text()
    file.chmod(0o644)
    file.write_text(text.replace("input1", "word", 1))
    with pytest.raises(BenchError, match=r"spell\.tsv: content differs from cute at revision"):
        TASKS["spell"].samples(Data(tmp_path))
    monkeypatch.setattr(cute, "SOURCE", replace(cute.SOURCE, pins=dict))
    with pytest.raises(BenchError, match=r"cute/spell\.tsv: a row has no 'input1'"):
        TASKS["spell"].samples(Data(tmp_path))
    file.write_text("".join(text.splitlines(keepends=True)[:-1]))
    with pytest.raises(BenchError, match=r"cute/spell\.tsv: 999 rows, expected 1000"):
        TASKS["spell"].samples(Data(tmp_path))


@pytest.mark.slow
def test_a_run_with_all_right_and_all_wrong(data, data_dir, tmp_path):
    rows = [
        {"prompt": task.ask(sample).prompt, "text": task.gold(sample)}
        for task in TASKS.values()
        for sample in list(task.samples(data))[:10]
    ]
    for name, text, value in (("right", None, 1.0), ("wrong", "Maybe", 0.0)):
        script = tmp_path / f"{name}.jsonl"
        script.write_text(
            "".join(json.dumps(row | ({"text": text} if text else {})) + "\n" for row in rows)
        )
        out = tmp_path / name
        done = bench(
            "run", "--model", f"scripted:{script}", "--tasks", "cute", "--limit", 10,
            "--data-dir", data_dir, "--out", out, "--json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        summary = json.loads((out / "summary.json").read_text())
        assert {task["metrics"]["em"]["value"] for task in summary["tasks"].values()} == {value}
        assert summary["groups"]["cute/*/words"]["metrics"]["em (micro)"]["value"] == value
        assert bench("verify", out, "--data-dir", data_dir).returncode == 0
