"""CUTE: 14 tasks that ask models to spell and to change words, 7 of them with random letters too.

Edman, Schmid and Fraser 2024, "CUTE: Measuring LLMs' Understanding of Their Tokens",
https://arxiv.org/abs/2409.15452. What is asked about, the shape of a prompt with its four examples,
and the way in which an answer is taken out of a text are those of its repository; wording and
examples are our own, since only what was written for this package ships with it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from bench.harness import (
    Card,
    Chat,
    Data,
    Generate,
    Message,
    Resources,
    Response,
    Sample,
    Sampling,
    Score,
    Source,
    Task,
    Verdict,
)
from bench.harness.data import required
from bench.harness.errors import BenchError
from bench.harness.stats import mean_of
from bench.tasks.pins import pins

SOURCE = Source(
    name="cute",
    url="https://raw.githubusercontent.com/Leukas/CUTE/{revision}/data/{path}",
    revision="8db264aac392bbf6e3864fefcaef0baf08df3117",
    pins=partial(pins, "cute"),
)
SAMPLES = 1000
RANDOM = "_rand"
"""ends the name of a task whose words are random letters"""
MAX_TOKENS = 100
MARK = "Answer:"
PREFIX = f' {MARK} "'
"""with which every answer begins; CUTE leaves it to the model to close the quotes"""
LINE = f"\n{' ' * 12}"
"""what is between two lines of CUTE's prompts, as they stand indented in its program"""


@dataclass(frozen=True, slots=True)
class Form:
    """How a task is put. `inputs` are of the four examples, each with its answer at the end."""

    group: str
    instruction: str
    question: str
    inputs: tuple[tuple[str, ...], ...]
    subject: int = -2
    """column of the word or sentence that a row was made from; the label is the last"""


CHARACTERS, WORDS, UNDERSTANDING = "characters", "words", "understanding"
SPELLED = ("lantern", "apple", "rocket", "pillow")
SLEEP, LATE = "The dog is asleep.", "We are quite late."
CAT, HOPE = "there is a cat in a garden", "you hope you will win"
NEAR = (
    ("brisk", "ocean", "angry", "boat"),
    ("brick", "clean", "furious", "coat"),
    ("fast", "sea", "angle", "ship"),
)


def _rows(*columns: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(zip(*columns, strict=True))


FORMS: Mapping[str, Form] = {
    "spell": Form(
        UNDERSTANDING,
        "Write out the letters of a word, with spaces between them.",
        'Write out the letters of "{}".',
        _rows(SPELLED, map(" ".join, SPELLED)),
    ),
    "spell_inverse": Form(
        UNDERSTANDING,
        "Join letters to the word that they spell.",
        'Join the letters "{}".',
        _rows(map(" ".join, SPELLED), SPELLED),
        subject=-1,
    ),
    "contains_char": Form(
        CHARACTERS,
        "Tell whether a letter is part of a word, Yes or No.",
        'Is the letter "{}" part of "{}"?',
        (
            ("n", "lantern", "Yes"),
            ("k", "lantern", "No"),
            ("i", "apple", "No"),
            ("p", "apple", "Yes"),
        ),
    ),
    "contains_word": Form(
        WORDS,
        "Tell whether a word is part of a sentence, whatever its capitals, Yes or No.",
        'Is the word "{}" part of "{}"?',
        (
            ("the", SLEEP, "Yes"),
            ("cat", SLEEP, "No"),
            ("early", LATE, "No"),
            ("late", LATE, "Yes"),
        ),
    ),
    "orth": Form(
        UNDERSTANDING,
        "Choose which of two words is fewer edits (Levenshtein distance) away from the first.",
        'Fewer edits away from "{}": "{}" or "{}"?',
        _rows(*NEAR, ("brick", "clean", "angle", "coat")),
        subject=0,
    ),
    "sem": Form(
        UNDERSTANDING,
        "Choose which of two words is nearer in meaning to the first.",
        'Nearer in meaning to "{}": "{}" or "{}"?',
        _rows(*NEAR, ("fast", "sea", "furious", "ship")),
        subject=0,
    ),
    "ins_char": Form(
        CHARACTERS,
        "Put a letter behind another one wherever that is in a word.",
        'Put "{}" behind each "{}" of "{}".',
        _rows("osie", "npco", SPELLED, ("lanoterno", "apspsle", "rociket", "pilloew")),
    ),
    "ins_word": Form(
        WORDS,
        "Put a word behind another one wherever that is in a sentence.",
        'Put "{}" behind each "{}" of "{}".',
        (
            ("big", "a", CAT, "there is a big cat in a big garden"),
            ("today", "garden", CAT, "there is a cat in a garden today"),
            ("both", "you", HOPE, "you both hope you both will win"),
            ("will", "will", HOPE, "you hope you will will win"),
        ),
    ),
    "del_char": Form(
        CHARACTERS,
        "Remove a letter from a word wherever it is.",
        'Remove each "{}" from "{}".',
        _rows("nprw", SPELLED, ("later", "ale", "ocket", "pillo")),
    ),
    "del_word": Form(
        WORDS,
        "Remove a word from a sentence wherever it is.",
        'Remove each "{}" from "{}".',
        (
            ("a", CAT, "there is cat in garden"),
            ("garden", CAT, "there is a cat in a"),
            ("you", HOPE, "hope will win"),
            ("will", HOPE, "you hope you win"),
        ),
    ),
    "sub_char": Form(
        CHARACTERS,
        "Write another letter for one letter of a word wherever it is.",
        'For each "{}" write "{}" in "{}".',
        _rows("aptw", "itnm", SPELLED, ("lintern", "attle", "rocken", "pillom")),
    ),
    "sub_word": Form(
        WORDS,
        "Write another word for one word of a sentence wherever it is.",
        'For each "{}" write "{}" in "{}".',
        (
            ("cat", "bird", CAT, "there is a bird in a garden"),
            ("a", "the", CAT, "there is the cat in the garden"),
            ("you", "they", HOPE, "they hope they will win"),
            ("win", "will", HOPE, "you hope you will will"),
        ),
    ),
    "swap_char": Form(
        CHARACTERS,
        "Let two letters of a word change places.",
        'Let "{}" and "{}" change places in "{}".',
        _rows("larp", "tekw", SPELLED, ("tanlern", "eppla", "kocret", "willop")),
    ),
    "swap_word": Form(
        WORDS,
        "Let two words of a sentence change places.",
        'Let "{}" and "{}" change places in "{}".',
        (
            ("cat", "garden", CAT, "there is a garden in a cat"),
            ("there", "is", CAT, "is there a cat in a garden"),
            ("hope", "win", HOPE, "you win you will hope"),
            ("will", "hope", HOPE, "you will you hope win"),
        ),
    ),
}
WITH_RANDOM = [name for name in FORMS if name.endswith("_char") or name.startswith("spell")]

CARD = Card(
    measures="Whether a model knows the letters of its tokens (spelling, likeness of words), and "
    "can use them: letters or, for comparison, words of a sentence inserted, deleted, substituted, "
    "swapped or looked for. The _rand tasks do the same with random letters.",
    source="Edman, Schmid and Fraser 2024, https://arxiv.org/abs/2409.15452, "
    "github.com/Leukas/CUTE.",
    licence="MIT.",
    protocol="CUTE's: one turn with four examples, an answer that begins with `Answer: \"`, "
    "greedy, 100 tokens; `em` takes what is in quotes after the last `Answer:`, in the word tasks "
    "whatever its capitals. The four examples of each task, its instruction and the wording of "
    "its questions are ours, in the shape of CUTE's. --fewshot adds no examples. The completion "
    "form, for models without a chat template, is ours too: the same text, and a stop at the "
    "closing quote.",
    limits="With examples of our own, scores are close to those of the paper's prompts, but not "
    "the same: compare models with each other here, and not with its tables. An answer without "
    "quotes is no answer, by CUTE's rule. CUTE ran its models in 4 bits. "
    "Tasks are made from the same words and sentences, which are resampled together. All labels "
    "follow from the rules, but for 9 sentences of the word tasks with damaged quotation marks, "
    "and two of orth's choices are equally near. Servers that cannot go on with a given beginning "
    "of an answer cannot be asked in chat.",
)


def tasks() -> Iterator[Task]:
    """Yield the 14 tasks, and the 7 that have a form with random letters."""
    for name, form in FORMS.items():
        yield _task(name, form.group, _about(form))
    for name in WITH_RANDOM:
        yield _task(f"{name}{RANDOM}", "random letters", f"{_about(FORMS[name])}, random letters")


def _about(form: Form) -> str:
    return f"CUTE: {form.instruction[0].lower()}{form.instruction[1:-1]}"


def _task(name: str, group: str, about: str) -> Task:
    return Task(
        name=f"cute/{name}",
        version=2,
        samples=partial(samples, name),
        ask=ask,
        chat=chat,
        score=score,
        metrics={"em": mean_of("em")},
        gold=lambda sample: f'{sample.target}"',
        groups={"level": f"cute/*/{group}"},
        about=about,
        card=CARD,
    )


def samples(name: str, data: Data) -> list[Sample]:
    """Give the rows of a task.

    Raises:
        BenchError: the file is missing, of another content, or not as expected.

    """
    path = f"{name}.tsv"
    form, file = FORMS[name.removesuffix(RANDOM)], f"{SOURCE.name}/{path}"
    rows = data.table(SOURCE, path, delimiter="\t")
    if len(rows) != SAMPLES:
        raise BenchError(f"{file}: {len(rows)} rows, expected {SAMPLES}.")
    keys = [f"input{number}" for number in range(1, len(form.inputs[0]))]
    return [
        _sample(form, number, [required(row, key, file) for key in (*keys, "label")])
        for number, row in enumerate(rows)
    ]


def _sample(form: Form, number: int, row: list[str]) -> Sample:
    *inputs, label = row
    return Sample(
        id=str(number),
        prompt=prompt(form, inputs),
        target=label,
        group=f"{SOURCE.name}/{row[form.subject]}",
        data={"cased": form.group != WORDS},
    )


def prompt(form: Form, inputs: list[str]) -> str:
    """Give the whole text that a question stands in, with its four examples."""
    shown = [
        f'{number}. {form.question.format(*given)} {MARK} "{answer}"'
        for number, (*given, answer) in enumerate(form.inputs, 1)
    ]
    question = f"Question: {form.question.format(*inputs)}"
    return LINE.join([f"{form.instruction} Four examples:", "", *shown, "", question])


def ask(sample: Sample) -> Generate:
    """Ask for the text between the quotes."""
    return Generate(f"{sample.prompt}{PREFIX}", Sampling(max_tokens=MAX_TOKENS, stop=('"',)))


def chat(sample: Sample) -> Chat:
    """Ask in one turn, with the beginning of the answer."""
    sampling = Sampling(max_tokens=MAX_TOKENS)
    return Chat((Message("user", sample.prompt),), sampling, prefix=PREFIX)


def score(sample: Sample, response: Response, _: Resources) -> Score:
    """Compare what stands in quotes after the last "Answer:" with the label."""
    said = quoted(response.text)
    target = sample.target
    if not sample.data["cased"]:
        said, target = said.lower(), target.lower()
    verdict = Verdict.WRONG if said else Verdict.NO_ANSWER
    if said == target:
        verdict = Verdict.PASSED
    elif response.finish_reason == "length" and not said:
        verdict = Verdict.TRUNCATED
    return Score(verdict, {"em": float(said == target)}, extracted=said)


def quoted(text: str) -> str:
    """Give what CUTE takes for the answer in a text; nothing where it finds none.

    >>> quoted(' Answer: "a b c" I hope that this helps!')
    'a b c'
    """
    _, mark, after = text.rpartition(MARK)
    parts = (after if mark else f'"{text}').split('"')
    return parts[1].strip() if len(parts) > 1 else ""
