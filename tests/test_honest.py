"""HONEST: templates in six languages, completions against a lexicon, women paired with men.

The lexicon of these tests is ours and mild; HurtLex is not at hand.
"""

import hashlib
import json
import shutil
from csv import DictReader
from functools import cache
from statistics import fmean

import pytest
from command_line import bench
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.harness import Chat, Data, Resources, Response, Sample, Verdict, registry
from bench.harness.errors import BenchError
from bench.tasks import honest

COUNTS = {
    "en/female": (405, "fafb485b"),
    "en/male": (405, "b7d9b7bb"),
    "es/female": (405, "517c66aa"),
    "es/male": (405, "bbb1bffc"),
    "fr/female": (405, "adf3c91b"),
    "fr/male": (405, "aa4775e7"),
    "it/female": (405, "a902664c"),
    "it/male": (405, "baa749df"),
    "pt/female": (420, "d9f9a2d3"),
    "pt/male": (420, "f99da348"),
    "ro/female": (420, "6b8d357c"),
    "ro/male": (420, "74c097bd"),
    "en/queer": (615, "8bd76d46"),
    "en/nonqueer": (90, "60afe0cc"),
}
"""sentences of a task, and the beginning of a hash of the first prompt"""
HEAD = "id\tpos\tcategory\tstereotype\tlemma\tlevel\n"
WORDS = (
    "1\tn\tan\tno\tfool\tconservative\n"
    "2\tn\tcds\tno\tbank\tinclusive\n"
    '3\tn\tqas\tno\tben\u00eat "x\tconservative\n'
    "4\tn\tpr\tno\tN\u00edgaud\tconservative\n"
)
LANGUAGES = ("EN", "ES", "FR", "IT", "PT", "RO")


@pytest.fixture(scope="module")
def with_lexicon(data_dir, tmp_path_factory):
    """Give a data directory that has HONEST and a small lexicon."""
    folder = tmp_path_factory.mktemp("honest")
    shutil.copytree(data_dir / "honest", folder / "honest", copy_function=shutil.copyfile)
    for language in LANGUAGES:
        write_lexicon(folder, language, HEAD + WORDS)
    return folder


def write_lexicon(folder, language, text):
    file = folder / "hurtlex" / language / "1.2" / f"hurtlex_{language}.tsv"
    file.parent.mkdir(parents=True)
    file.write_text(text)


@cache
def one(name):
    [task] = registry.select(f"honest/{name}")
    return task


def scored(text, finish="stop"):
    words = {"fool": "an", "nigaud": "pr"}
    sample = Sample("1", "The sea is a", data={"hurtful": words})
    return one("en/male").score(sample, Response(text, finish), Resources())


def test_every_language_has_women_and_men():
    assert [task.name for task in registry.select("honest")] == [f"honest/{n}" for n in COUNTS]


@pytest.mark.parametrize("name", COUNTS)
def test_sentences_are_as_they_were(with_lexicon, name):
    task = one(name)
    samples = list(task.samples(Data(with_lexicon)))
    prompts = [task.ask(sample).prompt for sample in samples]
    digest = hashlib.sha256(prompts[0].encode()).hexdigest()[:8]
    assert (len(samples), digest) == COUNTS[name]
    assert len({sample.id for sample in samples}) == len(samples)
    assert len({sample.group for sample in samples}) == 15
    for prompt in prompts:
        assert "[M]" not in prompt and prompt == " ".join(prompt.split())


def test_a_group_is_one_template(with_lexicon):
    with (with_lexicon / "honest" / honest.QUEER).open(encoding="utf-8") as file:
        raw = [row["raw"] for row in DictReader(file, delimiter="\t")]
    by_group = {}
    for name in ("en/queer", "en/nonqueer"):
        for sample in one(name).samples(Data(with_lexicon)):
            by_group.setdefault(sample.group, set()).add(raw[int(sample.id)])
    assert all(len(templates) == 1 for templates in by_group.values())
    assert len(set.union(*by_group.values())) == 15


@pytest.mark.parametrize("name", [n for n in COUNTS if n.endswith("/female")] + ["en/queer"])
def test_those_compared_have_the_same_templates(with_lexicon, name):
    task, data = one(name), Data(with_lexicon)
    other = {"female": "male", "queer": "nonqueer"}[name.partition("/")[2]]
    [base] = registry.select(task.baseline)
    assert base.name == task.name.replace(name.partition("/")[2], other)
    assert base.baseline == ""
    groups = [{sample.group for sample in each.samples(data)} for each in (task, base)]
    assert groups[0] == groups[1]


@pytest.mark.parametrize(
    ("text", "word", "hurtful"),
    [
        (" fool.", "fool", 1),
        ("FOOL", "FOOL", 1),
        ("\u201cFool,\u201d he said", "Fool", 1),
        ("The sea is a fool", "fool", 1),
        (" teacher and a fool", "teacher", 0),
        (" n\u00edgaud", "n\u00edgaud", 1),
        (" fools", "fools", 0),
        (" foolproof", "foolproof", 0),
        (" 7 fool", "fool", 1),
    ],
)
def test_the_first_word_is_looked_up(text, word, hurtful):
    found = scored(text)
    assert (found.extracted, found.values["hurtful"]) == (word, hurtful)
    assert found.verdict is (Verdict.WRONG if hurtful else Verdict.PASSED)


def test_the_category_of_a_word_is_told():
    assert (scored(" fool").detail, scored(" teacher").detail) == ("an", "")


@pytest.mark.parametrize(
    ("text", "finish", "verdict"),
    [("", "stop", Verdict.NO_ANSWER), (" ...", "length", Verdict.TRUNCATED)],
)
def test_no_word_is_not_hurtful(text, finish, verdict):
    found = scored(text, finish)
    assert (found.verdict, found.values) == (verdict, {"hurtful": 0})


@settings(deadline=None)
@given(st.text())
def test_any_text_is_scored(text):
    assert scored(text).values["hurtful"] in {0, 1}


def test_the_lexicon_is_plain_and_conservative(with_lexicon):
    words = honest.lexicon("fr", Data(with_lexicon))
    assert words == {"fool": "an", 'benet "x': "qas", "nigaud": "pr"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id\tlemma\n1\tfool\n", "has no 'level'"),
        (HEAD, "no words of the level conservative"),
        (HEAD + "1\tn\tan\n", r"hurtlex_EN.tsv:2: a row has not 6 columns"),
        ("", "no words of the level conservative"),
    ],
)
def test_a_damaged_lexicon_is_one_line(tmp_path, text, message):
    write_lexicon(tmp_path, "EN", text)
    with pytest.raises(BenchError, match=message) as caught:
        honest.lexicon("en", Data(tmp_path))
    assert len(str(caught.value).splitlines()) == 1


def test_without_a_lexicon_one_line_says_which_file_to_get(data_dir, tmp_path):
    shutil.copytree(data_dir / "honest", tmp_path / "honest", copy_function=shutil.copyfile)
    (tmp_path / "hurtlex").mkdir()
    script = tmp_path / "script.jsonl"
    script.write_text('{"text": "fool"}\n')
    flags = ["--tasks", "honest/en", "--data-dir", tmp_path, "--out", tmp_path / "run"]
    done = bench("run", "--model", f"scripted:{script}", *flags)
    assert done.returncode == 2
    assert "hurtlex/EN/1.2/hurtlex_EN.tsv in the data directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_chat_model_is_asked_for_one_word(with_lexicon):
    task = one("en/male")
    sample = next(iter(task.samples(Data(with_lexicon))))
    asked = task.chat(sample)
    assert isinstance(asked, Chat)
    assert sample.prompt in asked.messages[0].text


def test_the_score_is_hurtful_over_all_and_the_gap_is_paired(with_lexicon, tmp_path):
    tasks, data = [one("en/female"), one("en/male")], Data(with_lexicon)
    rows = {task.name: list(task.samples(data)) for task in tasks}
    prompts = sorted({sample.prompt for samples in rows.values() for sample in samples})
    said = {
        prompt: [" fool"] * (i % 4) + [" clerk"] * (3 - i % 4) for i, prompt in enumerate(prompts)
    }
    value = {prompt: texts.count(" fool") / 3 for prompt, texts in said.items()}
    script, out = tmp_path / "script.jsonl", tmp_path / "run"
    lines = [json.dumps({"prompt": prompt, "texts": texts}) for prompt, texts in said.items()]
    script.write_text("\n".join(lines))
    flags = ["--n", 3, "--data-dir", with_lexicon, "--out", out]
    names = ",".join(rows)
    done = bench("run", "--model", f"scripted:{script}", "--tasks", names, *flags)
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "summary.json").read_text())["tasks"]
    women, men = rows.values()
    for name, samples in rows.items():
        expected = fmean(value[sample.prompt] for sample in samples)
        assert summary[name]["metrics"]["honest"]["value"] == pytest.approx(expected)
    expected = fmean(
        value[one.prompt] - fmean(value[other.prompt] for other in men if other.group == one.group)
        for one in women
    )
    gap = summary["honest/en/female"]["gap"]
    assert gap["to"] == "honest/en/male"
    assert gap["metrics"]["honest"]["value"] == pytest.approx(expected)
    assert bench("verify", out, "--data-dir", with_lexicon).returncode == 0
