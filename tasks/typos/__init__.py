"""Typos in the questions of any task: `typos/OPERATOR-n/TASK` is TASK with typographical noise.

The questions change, their answers and examples do not. What is a question, its task says with
`reword`. n is the length of the n-grams of characters or tokens, or how many words in a hundred
change. `typos/OPERATOR-n@SEED/TASK` draws the noise anew. Run beside the clean task, which is its
baseline, a noisy one reports the paired difference.

Noise on tokens never exists as a text, because encoding its text again gives other tokens: the
model reads a prompt of token ids, in completion form.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from random import Random

from bench.harness import (
    Card,
    Data,
    Generate,
    LogLikelihood,
    Request,
    RollingLogLikelihood,
    Sample,
    Source,
    Task,
    Text,
    Tokenizer,
    registry,
)
from bench.harness.errors import BenchError, UnknownName
from bench.tasks.pins import pins
from bench.tasks.typos.operators import (
    NGRAMS,
    ON_CHARACTERS,
    ON_TOKENS,
    ON_WORDS,
    WORD,
    Noise,
    change,
)

MISSPELLINGS = Source(
    name="helm_misspellings",
    url="https://raw.githubusercontent.com/stanford-crfm/helm/{revision}/src/helm/benchmark/augmentations/{path}",
    revision="63754d05db6f874e41a395880fb573890a13e791",
    pins=partial(pins, "helm_misspellings"),
)
SHARES = (10, 30)
"""words in a hundred that change, where a glob asks for operators and names no number"""
KNOWN = [
    *(f"{name}-{n}" for name in (*ON_CHARACTERS, *ON_TOKENS) for n in NGRAMS),
    *(f"{name}-{n}" for name in ON_WORDS for n in SHARES),
]
NAME = re.compile(r"(?P<operator>[a-z_]+)-(?P<n>[1-9]\d?)(?:@(?P<seed>\d{1,9}))?")
NOISE = (
    "With noise in the questions alone, drawn by sample (character and token operators are those "
    "of TKEval, Chai et al. 2024, https://arxiv.org/abs/2406.11687; the rest are ours). What an "
    "operator cannot change stays: there are no capitals in Chinese."
)
TOKENS = "Noise on tokens is always asked in completion form: run the clean task with --no-chat."
BEGIN, END = "\ue0b0", "\ue0b1"
"""characters for private use, around a question whose tokens will change"""


@dataclass(frozen=True, slots=True)
class Typos:
    """One operator with its strength and seed, as `label` names it."""

    label: str
    operator: str
    n: int
    seed: int

    def noise(self, task: Task, sample: Sample) -> Noise:
        """Give the random numbers of a sample, which neither order nor other samples change."""
        source = f"{self.seed} {self.operator} {self.n} {task.name} {sample.id}"
        seed = source.encode("utf-8", "surrogatepass")  # an id may hold half a character
        return Noise(self.n, Random(seed))  # noqa: S311 - no secret


def family(rest: str) -> Iterator[Task]:
    """OPERATOR-n/TASK: any task with typographical noise in its questions."""
    first, slash, glob = rest.partition("/")
    if not slash or not glob:
        raise BenchError(
            f"typos/{rest}: name it typos/OPERATOR-n/TASK, as in typos/{KNOWN[0]}/mmlu."
        )
    chosen = list(typos(first))
    for task in registry.select(glob):
        if task.reword is None:
            raise BenchError(f"typos/{rest}: {task.name} does not say which text is its question.")
        for one in chosen:
            yield noisy(one, task)


def typos(label: str) -> Iterator[Typos]:
    """Yield the operators that a label or glob names."""
    for one in [label] if NAME.fullmatch(label) else [k for k in KNOWN if fnmatchcase(k, label)]:
        found = NAME.fullmatch(one)
        assert found
        name, n, seed = found["operator"], int(found["n"]), int(found["seed"] or 0)
        if name not in (*ON_CHARACTERS, *ON_TOKENS, *ON_WORDS):
            raise UnknownName("typo operator", name, [*ON_CHARACTERS, *ON_TOKENS, *ON_WORDS])
        yield Typos(one, name, n, seed)
        label = ""
    if label:
        raise UnknownName("typo operator", label, KNOWN, "Write OPERATOR-n.")


def noisy(one: Typos, task: Task) -> Task:
    """Give a task with noise in its questions, paired with the clean one sample by sample."""
    prefix = f"typos/{one.label}/"
    variant = replace(
        task,
        name=f"{prefix}{task.name}",
        about=f"{task.about}, with typos ({one.label})",
        card=task.card and _card(task.card, one),
        baseline=task.name,
        groups={way: f"{prefix}{group}" for way, group in task.groups.items()},
    )
    if one.operator in ON_TOKENS:
        return replace(
            variant,
            samples=partial(_paired, task),
            ask=partial(_marked, task),
            chat=None,
            tokens=partial(_in_tokens, one, task),
        )
    return replace(variant, samples=partial(_reworded, one, task))


def _card(card: Card, one: Typos) -> Card:
    """Say beside what is known of a benchmark what noise does to it."""
    protocol = f"{card.protocol} {NOISE}"
    return replace(card, protocol=f"{protocol} {TOKENS}" if one.operator in ON_TOKENS else protocol)


def _paired(task: Task, data: Data) -> Iterator[Sample]:
    """Yield the samples of a task in groups that pair them with the clean ones."""
    for sample in task.samples(data):
        yield replace(sample, group=sample.group or f"{task.name}\n{sample.id}")


def _reworded(one: Typos, task: Task, data: Data) -> Iterator[Sample]:
    assert task.reword
    table = _misspellings(data) if one.operator == "misspell" else {}
    operator = {**ON_CHARACTERS, **ON_WORDS}[one.operator]
    for sample in _paired(task, data):
        noise = replace(one.noise(task, sample), misspellings=table)

        def typed(text: str, keep: Iterable[str] = (), noise: Noise = noise) -> str:
            letters = "".join(WORD.findall(text)).lower() or "a"
            return change(text, operator, replace(noise, letters=letters), frozenset(keep))

        yield task.reword(sample, typed)


def _misspellings(data: Data) -> Mapping[str, list[str]]:
    table = data.json(MISSPELLINGS, "correct_to_misspelling.json")
    if not isinstance(table, dict):
        raise BenchError(f"{MISSPELLINGS.name}: not a table from words to their misspellings.")
    return {word: list(wrong) for word, wrong in table.items()}


def _marked(task: Task, sample: Sample) -> Request:
    """Ask with marks around the question."""
    assert task.reword
    return task.ask(task.reword(sample, lambda text, keep=(): f"{BEGIN}{text}{END}"))  # noqa: ARG005


def _in_tokens(
    one: Typos, task: Task, sample: Sample, request: Request, tokenizer: Tokenizer
) -> Request:
    """Turn a request into token ids, with noise on those between the marks."""
    read = partial(_ids, one, task, sample, tokenizer)
    match request:
        case Generate():
            return replace(request, prompt=read(request.prompt))
        case LogLikelihood():
            pairs = [(read(context), _plain(tokenizer, text)) for context, text in request.pairs]
            return LogLikelihood(tuple(pairs))
        case RollingLogLikelihood():
            return RollingLogLikelihood(read(request.text))
    raise BenchError(f"{task.name}: noise on tokens needs the completion form.")


def _plain(tokenizer: Tokenizer, text: Text) -> tuple[int, ...]:
    return tokenizer.encode_plain(text) if isinstance(text, str) else text


def _ids(one: Typos, task: Task, sample: Sample, tokenizer: Tokenizer, text: Text) -> Text:
    if not isinstance(text, str):
        raise BenchError(f"{task.name} asks in token ids already.")
    noise, found = one.noise(task, sample), list[int]()
    for at, stretch in enumerate(re.split(f"[{BEGIN}{END}]", text)):
        ids = tokenizer.encode(stretch) if at == 0 else tokenizer.encode_plain(stretch)
        if at % 2:
            ids = tuple(ON_TOKENS[one.operator](ids, noise, range(tokenizer.size)))
        found += ids
    return tuple(found)
