"""Probes of what a model knows about the letters inside its tokens. Rules give the right answers.

The kinds of question follow TKEval (Chai et al. 2024, arXiv:2406.11687); words and wording are
our own. A sample depends on its word alone, not on the order in which samples are made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files

from bench.harness import (
    Card,
    Chat,
    Data,
    Generate,
    LogLikelihood,
    Message,
    Resources,
    Response,
    Sample,
    Sampling,
    Score,
    Task,
    Verdict,
    choices,
)
from bench.harness.stats import mean_of
from bench.tasks.markdown import after_thinking, plain
from bench.tasks.wordplay import longest_common_substrings, pick

PREFIX = "quickstart/tokenization"
SAMPLES = 40
MAX_TOKENS = 32
INSTRUCTION = "Reply with the answer only, without a sentence around it."
QUOTES = "\"'`*\u2018\u2019\u201c\u201d"

CARD = Card(
    measures="What a model knows of the letters inside its tokens, which it never reads; above "
    "all, whether a model and its set-up work at all.",
    source="Written for this package. The kinds of question follow TKEval (Chai et al. 2024, "
    "https://arxiv.org/abs/2406.11687).",
    licence="Apache-2.0, as the package",
    protocol="40 English words a probe, and rules that give the right answer. Two worked examples "
    "before each question, greedy, 32 tokens: the first line of the answer has to be right, quotes "
    "and a full stop aside. spelling_choice weighs four spellings instead; acc goes by their "
    "log-probability, acc_norm by that of a byte, and a tie is wrong. Chance is 0.25 there.",
    limits="Small on purpose, so that a first run takes minutes: intervals are some 15 points to "
    "each side. upper_case can be solved by rote, and digits of char_count are nearly all 1 or 2. "
    "tkeval has more words, in buckets by their length, and cute other kinds of question.",
)


@dataclass(frozen=True, slots=True)
class Item:
    """A question and its only right answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A kind of question, made from one word, and two examples that stand before each."""

    about: str
    make: Callable[[str], Item | None]
    """None where the word does not suit"""
    shots: tuple[str, str]
    """words outside the list"""


@cache
def vocabulary() -> tuple[str, ...]:
    """Give the words that the probes are made from."""
    text = files("bench.tasks.quickstart").joinpath("words.txt").read_text(encoding="utf-8")
    return tuple(text.split())


def char_count(word: str) -> Item:
    """Ask how often a letter occurs, one of those that occur most."""
    letter = max(set(word), key=lambda each: (word.count(each), pick(1 << 32, each, word)))
    question = f"How many times does the letter '{letter}' occur in the word '{word}'?"
    return Item(question, str(word.count(letter)))


def nth_char(word: str) -> Item:
    """Ask for the letter at a place counted from the start."""
    place = pick(len(word), "nth_char", word)
    return Item(f"What is letter number {place + 1} of the word '{word}'?", word[place])


def nth_char_reverse(word: str) -> Item:
    """Ask for the letter at a place counted from the end."""
    place = pick(len(word), "nth_char_reverse", word)
    question = f"Counted from the end, what is letter number {place + 1} of the word '{word}'?"
    return Item(question, word[-1 - place])


def reverse(word: str) -> Item:
    """Ask for the word backwards."""
    return Item(f"How is the word '{word}' written backwards?", word[::-1])


def upper_case(word: str) -> Item:
    """Ask for the word in capitals."""
    return Item(f"How is the word '{word}' written in capital letters?", word.upper())


def common_substring(word: str) -> Item | None:
    """Ask for the longest run of letters that the word shares with another."""
    others = [
        (other, longest_common_substrings(word, other)) for other in vocabulary() if other != word
    ]
    clear = [(other, runs.pop()) for other, runs in others if len(runs) == 1]
    fitting = [(other, run) for other, run in clear if len(run) > 1]
    if not fitting:
        return None
    other, run = fitting[pick(len(fitting), "common_substring", word)]
    question = f"What is the longest run of letters that both '{word}' and '{other}' contain?"
    return Item(question, run)


PROBES = {
    "char_count": Probe("how often a letter occurs in a word", char_count, ("banana", "castle")),
    "nth_char": Probe("the n-th letter of a word", nth_char, ("castle", "pencil")),
    "nth_char_reverse": Probe(
        "the n-th letter of a word from its end", nth_char_reverse, ("castle", "pencil")
    ),
    "reverse": Probe("a word written backwards", reverse, ("lion", "cloud")),
    "upper_case": Probe("a word in capital letters", upper_case, ("lion", "cloud")),
    "common_substring": Probe(
        "the longest run of letters shared by two words", common_substring, ("kingdom", "starling")
    ),
}


def tasks() -> Iterator[Task]:
    """Yield the probes that are answered in writing, and the one that is a choice."""
    for name, probe in PROBES.items():
        yield Task(
            name=f"{PREFIX}/{name}",
            version=1,
            samples=partial(samples, name),
            ask=ask,
            chat=chat,
            score=score,
            metrics={"correct": mean_of("correct")},
            about=f"Probe: {probe.about}",
            card=CARD,
        )
    yield Task(
        name=f"{PREFIX}/spelling_choice",
        version=1,
        samples=spellings,
        ask=weigh,
        score=score_choice,
        metrics={"acc": mean_of("acc"), "acc_norm": mean_of("acc_norm")},
        about="Probe: which of four spellings of a word is right",
        card=CARD,
    )


def samples(name: str, _: Data) -> list[Sample]:
    """Give a probe's questions, each with two worked examples before it."""
    probe = PROBES[name]
    shots = [item for item in map(probe.make, probe.shots) if item]
    before = "".join(f"Question: {item.question}\nAnswer: {item.answer}\n\n" for item in shots)
    made = ((word, probe.make(word)) for word in shuffled(name))
    fitting = [(word, item) for word, item in made if item][:SAMPLES]
    return [
        Sample(
            word,
            f"{before}Question: {item.question}\nAnswer:",
            item.answer,
            f"{PREFIX}/{word}",
            data={"shots": shots, "question": item.question, "word": word},
        )
        for word, item in fitting
    ]


def shuffled(name: str) -> list[str]:
    """Give the words in an order of the probe's own."""
    return sorted(vocabulary(), key=lambda word: pick(1 << 32, name, word))


def ask(sample: Sample) -> Generate:
    """Ask for the line that goes on after the examples."""
    return Generate(sample.prompt, Sampling(max_tokens=MAX_TOKENS, stop=("\n",)))


def chat(sample: Sample) -> Chat:
    """Ask with the examples as turns. No stop string, as an answer may begin with an empty line."""
    turns = []
    for shot in sample.data["shots"]:
        turns += [Message("user", shot.question), Message("assistant", shot.answer)]
    turns.append(Message("user", sample.data["question"]))
    # Not as a system message: some chat templates refuse one.
    turns[0] = Message("user", f"{INSTRUCTION}\n\n{turns[0].text}")
    return Chat(tuple(turns), Sampling(max_tokens=MAX_TOKENS))


def score(sample: Sample, response: Response, _: Resources) -> Score:
    """Compare the first line, without quotes around it and a full stop at its end."""
    text = after_thinking(plain(response.text)).lstrip()
    line, ended, _rest = text.partition("\n")
    answer = line.removeprefix("Answer:").strip().strip(QUOTES).removesuffix(".").strip(QUOTES)
    correct = answer == sample.target
    verdict = Verdict.PASSED if correct else Verdict.WRONG if answer else Verdict.NO_ANSWER
    if not correct and response.finish_reason == "length" and not ended:
        verdict = Verdict.TRUNCATED
    return Score(verdict, {"correct": float(correct)}, extracted=answer)


def spellings(_: Data) -> list[Sample]:
    """Give words with four ways to spell them, of which one is right."""
    name = "spelling_choice"
    return [
        Sample(
            word,
            f"Letter by letter, the word '{word}' is spelled",
            spelled(word),
            f"{PREFIX}/{word}",
            data={"choices": alternatives(word), "word": word},
        )
        for word in [word for word in shuffled(name) if len(word) > 3][:SAMPLES]
    ]


def alternatives(word: str) -> list[str]:
    """Give the right spelling in a place of its own, and three wrong ones.

    The wrong ones lack a letter, double one, or swap two neighbours that differ.
    """
    at = pick(len(word) - 1, "drop", word)
    double = pick(len(word), "double", word)
    differing = [n for n in range(len(word) - 1) if word[n] != word[n + 1]]
    swap = differing[pick(len(differing), "swap", word)]
    wrong = [
        word[:at] + word[at + 1 :],
        word[: double + 1] + word[double:],
        word[:swap] + word[swap + 1] + word[swap] + word[swap + 2 :],
    ]
    place = pick(4, "place", word)
    return [spelled(each) for each in [*wrong[:place], word, *wrong[place:]]]


def spelled(word: str) -> str:
    """Give a word with a dash between its letters."""
    return "-".join(word)


def weigh(sample: Sample) -> LogLikelihood:
    """Ask how likely each spelling is."""
    return choices(sample.prompt, tuple(f" {each}" for each in sample.data["choices"]))


def score_choice(sample: Sample, response: Response, _: Resources) -> Score:
    """Tell whether the right spelling alone is the likeliest, in sum and by UTF-8 byte.

    A tie with a wrong one is wrong, so that a model without any preference scores 0.
    """
    if not response.logprobs:  # the prompt did not fit into the context
        return Score(Verdict.TRUNCATED, {"acc": 0.0, "acc_norm": 0.0})
    sums = [each.sum for each in response.logprobs]
    by_byte = [
        value / len(choice.encode())
        for value, choice in zip(sums, sample.data["choices"], strict=True)
    ]
    acc, acc_norm = (best(values, sample) == sample.target for values in (sums, by_byte))
    return Score(
        Verdict.PASSED if acc else Verdict.WRONG,
        {"acc": float(acc), "acc_norm": float(acc_norm)},
        extracted=best(sums, sample),
    )


def best(values: list[float], sample: Sample) -> str:
    """Give the choice of the highest value, or nothing where two share it."""
    top = max(values)
    if values.count(top) > 1:
        return ""
    return str(sample.data["choices"][values.index(top)])
