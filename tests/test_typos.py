"""Typos: what each operator keeps and changes, and what becomes of tasks and of their programs."""

import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from command_line import bench, lines
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.harness import Data, Generate, Sample, choices, registry
from bench.harness.errors import BenchError
from bench.harness.plan import Plan, Settings
from bench.harness.store import RESPONSES, SUMMARY, read_json
from bench.tasks import coding
from bench.tasks.comments import reworded
from bench.tasks.typos import KNOWN, operators, typos
from bench.tasks.typos import noisy as noised
from bench.tasks.typos.operators import Noise, change

TEXTS = st.text(st.sampled_from("abcdefgh XYZ ,.!?'äöñ你好шж012_-\n"), max_size=80)
SENTENCE = "The quick brown foxes are jumping over several remarkably lazy dogs in the garden."
EVERY = {**operators.ON_CHARACTERS, **operators.ON_WORDS}


def typed(name, text, n=2, seed=0, keep=(), **tables):
    return change(text, EVERY[name], Noise(n, Random(seed), **tables), frozenset(keep))


def shape(text):
    """Give what stands around the words."""
    return operators.WORD.split(text)


@given(TEXTS, st.integers(1, 6), st.integers(0, 9))
def test_a_permutation_keeps_the_letters_of_every_word(text, n, seed):
    after = typed("char_permute", text, n, seed)
    assert shape(after) == shape(text)
    words, others = operators.WORD.findall(text), operators.WORD.findall(after)
    assert [Counter(word) for word in words] == [Counter(word) for word in others]
    for word, other in zip(words, others, strict=True):  # and of every n-gram
        for at in range(0, len(word), n):
            assert sorted(word[at : at + n]) == sorted(other[at : at + n])


@pytest.mark.parametrize("name", ["keyboard", "case", "confusable", "ocr", "char_noise"])
@given(text=TEXTS, n=st.integers(1, 99), seed=st.integers(0, 9))
@settings(max_examples=60)
def test_what_stands_around_the_words_stays(name, text, n, seed):
    # A word may be lost as a whole, where all of it was one n-gram; what was around it is left.
    after = typed(name, text, n, seed)
    assert re.sub(r"[^\W_]|[^\W\d_]", "", after) == re.sub(r"[^\W_]|[^\W\d_]", "", text)


@given(TEXTS, st.integers(0, 9))
def test_case_and_space_change_nothing_else(text, seed):
    assert typed("case", text, 99, seed).lower() == text.lower()
    assert typed("space", text, 99, seed).replace(" ", "") == text.replace(" ", "")


@given(TEXTS, st.sampled_from(sorted(EVERY)), st.integers(0, 99))
def test_the_same_seed_gives_the_same_text(text, name, seed):
    assert typed(name, text, 30, seed) == typed(name, text, 30, seed)


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"misspell"}))
def test_another_seed_gives_another_text(name):
    assert len({typed(name, SENTENCE, 3 if "char" in name else 50, seed) for seed in range(6)}) > 2


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"misspell"}))
@pytest.mark.parametrize(
    "text", ["{question}", "<blank>", "`code here`", "http://a.example/path", "snake_case x1", "42"]
)
def test_placeholders_code_names_and_numbers_stay(name, text):
    for seed in range(20):
        assert typed(name, text, 99, seed) == text


def test_words_to_keep_stay():
    for seed in range(20):
        after = typed("char_permute", "sum the numbers of numbers", 5, seed, keep=["numbers"])
        assert after.count("numbers") == 2


def test_real_misspellings_come_from_the_table_with_their_capital():
    table = {"because": ["becuase"], "their": ["thier"]}
    text = "Because of their dog, because"
    assert typed("misspell", text, 99, 1, misspellings=table) == "Becuase of thier dog, becuase"


def test_n_in_a_hundred_words_change():
    text = "wonderful " * 4000
    after = typed("keyboard", text, 30).split()
    changed = sum(word != "wonderful" for word in after) / 4000
    assert 0.27 < changed < 0.33  # over 4 deviations wide
    assert all(len(word) == 9 for word in after)


def test_noise_on_characters_is_a_tenth_each():
    text = "abcdefghij " * 2000
    after = typed("char_noise", text, 2, letters="é").split()
    gained = sum(word.count("é") for word in after)
    assert 0.17 < gained / 10_000 < 0.23  # a gain and a change among 5 n-grams a word
    assert abs(sum(map(len, after)) - 20_000) < 300  # as much is lost as is gained


@given(st.lists(st.integers(0, 99), max_size=40), st.integers(1, 5), st.integers(0, 9))
def test_permuted_tokens_stay_in_their_ngram(ids, n, seed):
    after = operators.token_permute(ids, Noise(n, Random(seed)), range(100))
    for at in range(0, len(ids), n):
        assert sorted(ids[at : at + n]) == sorted(after[at : at + n])


@given(st.lists(st.integers(0, 99), max_size=40), st.integers(1, 5), st.integers(0, 9))
def test_noise_on_tokens_stays_in_the_vocabulary(ids, n, seed):
    after = operators.token_noise(ids, Noise(n, Random(seed)), range(100))
    assert set(after) <= set(range(100))
    assert abs(len(after) - len(ids)) <= -(-len(ids) // n)


PROMPTS = {
    "python": 'def add(first, second):\n    """Add two numbers, which may be \'zero\'.\n\n'
    '    >>> add(1, 2)\n    words of an example\n    """\n',
    "java": "class Sum {\n    /**\n     * Add two numbers, which may be 'zero'.\n"
    "     * >>> add(1, 2)\n     * words of an example\n     */\n    int add(int first, int second) {\n",
    "go": "// Add two numbers, which may be 'zero'.\n// >>> add(1, 2)\n// words of an example\n"
    "func add(first int, second int) int {\n",
    "perl": "# Add two numbers, which may be 'zero'.\n# >>> add(1, 2)\n# words of an example\n"
    "sub add\n{\n  my ($first, $second) = @_;\n",
}


@pytest.mark.parametrize("language", PROMPTS)
def test_only_the_description_of_a_function_changes(language):
    prompt = PROMPTS[language]
    said = []

    def capitals(text, keep):
        said.append(text.strip())
        return change(text, lambda word, _: word.upper(), Noise(1, Random(0)), keep)

    after = reworded(language, prompt, "add", capitals)
    assert after == prompt.replace("Add two numbers, which may be", "ADD TWO NUMBERS, WHICH MAY BE")
    assert any(text.startswith("Add two numbers") for text in said)


def noisy(data_dir, name, limit=3):
    (task,) = registry.select(name)
    return [task.ask(sample).prompt for sample in islice(task.samples(Data(data_dir)), limit)]


@pytest.mark.parametrize("language", ["python", "java", "csharp", "ruby"])
def test_humaneval_xl_keeps_its_code_and_examples(data_dir, language):
    cell = f"humaneval_xl/{language}/English"
    clean, typos = noisy(data_dir, cell, 80), noisy(data_dir, f"typos/char_permute-3/{cell}", 80)
    for before, after in zip(clean, typos, strict=True):
        assert after != before
        lines = list(zip(before.splitlines(), after.splitlines(), strict=True))
        for line, other in lines:
            if line != other:
                assert sorted(line) == sorted(other)
                assert ">>>" not in line
        same = [line for line, other in lines if line == other]
        assert before.splitlines()[-1].strip() in (
            "",
            '"""',
            "'''",
            *(line.strip() for line in same),
        )


def test_the_order_of_samples_does_not_change_their_typos(data_dir):
    (task,) = registry.select("typos/char_noise-2/humaneval_xl/python/German")
    plan = Plan([task], Data(data_dir), Settings(shuffle=True, seed=3), "m")
    shuffled = {job.sample.id: job.request for job in plan.jobs()}
    for job in Plan([task], Data(data_dir), Settings(), "m").jobs():
        assert shuffled[job.sample.id].prompt == job.request.prompt


def test_another_seed_in_the_name_draws_anew(data_dir):
    texts = {
        noisy(data_dir, f"typos/char_noise-2{seed}/humaneval_xl/python/English", 1)[0]
        for seed in ("", "@0", "@1", "@2")
    }
    assert len(texts) == 3


def test_a_noisy_task_is_paired_with_the_clean_one(data_dir):
    clean, variant = (
        registry.select(f"{typos}humaneval_xl/python/English")[0] for typos in ("", "typos/ocr-10/")
    )
    assert variant.baseline == clean.name
    groups = [[s.group for s in task.samples(Data(data_dir))] for task in (clean, variant)]
    assert groups[0] == groups[1]


class Letters:
    """A tokenizer with a token for each character, after a first one."""

    size = 0x110000

    def encode(self, text):
        return (1, *self.encode_plain(text))

    def encode_plain(self, text):
        return tuple(map(ord, text))


def words(ids):
    return "".join(map(chr, ids))


def on_tokens(ask, **settings):
    clean = coding.task("t", "python", lambda _: [SAMPLE], "about", 1)
    clean = replace(
        clean,
        ask=ask,
        reword=lambda sample, operator: replace(sample, prompt=operator(sample.prompt)),
        examples=lambda _: [Sample("e", "example?")],
        gold=lambda _: " yes",
    )
    (one,) = typos("token_permute-3")
    plan = Plan([noised(one, clean)], Data(), Settings(**settings), "m", None, Letters())
    (job,) = plan.jobs()
    return job.request


SAMPLE = Sample("1", "What is it?")


def test_tokens_of_the_question_alone_are_permuted():
    request = on_tokens(lambda sample: Generate(f"Q: {sample.prompt} A:"), fewshot=1)
    assert request.prompt[0] == 1
    text = words(request.prompt[1:])
    before, after = "Q: example? A: yes\n\nQ: ", " A:"
    assert (text[: len(before)], text[-3:]) == (before, after)
    question = text[len(before) : -3]
    assert question != "What is it?"
    assert sorted(question) == sorted("What is it?")


def test_tokens_of_a_context_are_permuted_and_continuations_are_not():
    request = on_tokens(lambda sample: choices(f"{sample.prompt}\nA:", (" B", " C")))
    (one, b), (other, c) = request.pairs
    assert one == other
    assert (words(b), words(c)) == (" B", " C")
    assert words(one[1:]).endswith("\nA:")


def test_a_model_without_a_tokenizer_is_told_so():
    (task,) = registry.select("typos/token_noise-2/humaneval_xl/python/English")
    alone = replace(task, samples=lambda _: [SAMPLE], ask=lambda _: Generate("x"))
    with pytest.raises(BenchError, match="tokenizer of this model is not at hand"):
        list(Plan([alone], Data(), Settings(), "m").jobs())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("typos/char_permute-2", "name it typos/OPERATOR-n/TASK"),
        ("typos/char_permut-2/humaneval_xl/go/English", "Did you mean char_permute"),
        ("typos/nothing*/humaneval_xl/go/English", "No typo operator is called 'nothing\\*'"),
        (
            "typos/case-10/quickstart/tokenization/reverse",
            "does not say which text is its question",
        ),
        ("typos/case-10/humaneval_xl/go/Englisch", "Did you mean humaneval_xl/go/English"),
    ],
)
def test_names_that_mean_nothing_are_refused(name, said):
    with pytest.raises(BenchError, match=said):
        registry.select(name)


def test_a_glob_over_operators_takes_the_usual_strengths():
    named = [task.name.split("/")[1] for task in registry.select("typos/*/humaneval_xl/go/English")]
    assert named == KNOWN
    assert len(KNOWN) == 4 * 3 + 6 * 2


def test_a_gap_has_the_change_in_tokens_beside_it(data_dir, tmp_path):
    script, out = tmp_path / "answers.jsonl", tmp_path / "run"
    script.write_text('{"text": "#### 3"}\n')
    name = "typos/space-30/gsm8k/cot"
    done = bench(
        "run", "--model", f"scripted:{script}", "--tasks", f"gsm8k/cot,{name}", "--limit", 5,
        "--data-dir", data_dir, "--out", out, COLUMNS="200",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    read = {(row["task"], row["sample"]): row["prompt_tokens"] for row in lines(out / RESPONSES)}
    clean = [count for (task, _), count in read.items() if task == "gsm8k/cot"]
    more = sum(count for (task, _), count in read.items() if task == name) - sum(clean)
    tokens = read_json(out / SUMMARY)["tasks"][name]["gap"]["prompt_tokens"]
    assert more > 0  # to a script every word is a token
    assert tokens["value"] == pytest.approx(more / 5)
    assert tokens["baseline"] == pytest.approx(sum(clean) / 5)
    assert f"+{more / 5:.1f} (+{more / sum(clean):.0%})" in done.stdout
    assert bench("verify", out, "--data-dir", data_dir).returncode == 0


def test_a_chat_is_not_compared_with_noise_on_tokens(data_dir, tmp_path):
    names = "gsm8k/cot,typos/token_noise-2/gsm8k/cot"
    asked = ["run", "--model", "smollm2", "--limit", 1, "--data-dir", data_dir, "--dry-run"]
    done = bench(*asked, "--tasks", names)
    assert done.returncode == 2
    assert "its baseline gsm8k/cot as a chat: no comparison. Give --no-chat" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    for other in (["--tasks", names, "--no-chat"], ["--tasks", names.partition(",")[2]]):
        assert bench(*asked, *other).returncode == 0
