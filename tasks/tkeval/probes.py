"""TKEval's probes of token structure, made by rules from words of our own: exact right answers.

Each probe is three tasks by the length of its words, which TKEval reports as 0-6, 6-12 and 12-18
letters. A question depends on its word and the words that there are, not on their order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files

from bench.harness import Card, Data, Sample, Task
from bench.tasks.tkeval import answers
from bench.tasks.wordplay import (
    common_substrings,
    longest_common_subsequences,
    longest_common_substrings,
    pick,
)

SHORTEST = 2
"""letters that a shared string has, as words share single ones by chance"""


@dataclass(frozen=True, slots=True)
class Item:
    """A question and all of its right answers, the model answer first."""

    question: str
    right: Sequence[str]


@dataclass(frozen=True, slots=True)
class Probe:
    """A kind of question, made of one word; `kind` is what its answers look like."""

    about: str
    make: Callable[[str], Item | None]
    """None where the word does not suit"""
    kind: str
    distance: bool = False
    """whether edit distance is reported"""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Words of some lengths: how many are asked about, and which stand in examples."""

    least: int
    most: int
    samples: int
    examples: tuple[str, ...]
    """words outside the lists"""

    @property
    def name(self) -> str:
        """What the lengths are called in names of tasks."""
        return f"{self.least}-{self.most}"


LENGTHS = (
    Lengths(1, 6, 67, ("banana", "dollar", "rubber")),
    Lengths(7, 12, 67, ("raccoon", "bookkeeper", "terrace")),
    Lengths(13, 18, 66, ("accommodation", "characterization", "multimillionaire")),
)


@cache
def vocabulary() -> tuple[str, ...]:
    """Give the words that probes are made of, those of the quickstart among them."""
    texts = (
        files(f"bench.tasks.{name}").joinpath("words.txt").read_text(encoding="utf-8")
        for name in ("quickstart", "tkeval")
    )
    return tuple(word for text in texts for word in text.split())


def char_count(word: str) -> Item | None:
    """Ask for a letter that occurs as often as none occurs oftener."""
    count = max(word.count(letter) for letter in word)
    if count == 1:  # any letter would be right
        return None
    right = sorted({letter for letter in word if word.count(letter) == count})
    return Item(f"Which letter occurs {count} times in the word '{word}'?", right)


def nth_char(word: str) -> Item:
    """Ask for the letter at a place counted from the start."""
    place = pick(len(word), "nth_char", word)
    return Item(f"Which letter is number {place + 1} of the word '{word}'?", [word[place]])


def nth_char_reverse(word: str) -> Item:
    """Ask for the letter at a place counted from the end."""
    place = pick(len(word), "nth_char_reverse", word)
    question = f"Counted from the end, which letter is number {place + 1} of the word '{word}'?"
    return Item(question, [word[-1 - place]])


def case_conversion(word: str) -> Item:
    """Ask for the word with one letter as a capital."""
    place = pick(len(word), "case_conversion", word)
    question = f"How is the word '{word}' written with only letter number {place + 1} as a capital?"
    return Item(question, [f"{word[:place]}{word[place].upper()}{word[place + 1 :]}"])


def common_substring(word: str) -> Item | None:
    """Ask for a string that the word shares with another, any one of them."""
    form = "Which string of {} letters or more do the words '{}' and '{}' both contain?"
    return _shared(word, "common_substring", form.replace("{}", str(SHORTEST), 1), _substrings)


def longest_common_substring(word: str) -> Item | None:
    """Ask for the longest string that the word shares with another."""
    form = "What is the longest common substring of the words '{}' and '{}'?"
    return _shared(word, "longest_common_substring", form, longest_common_substrings)


def longest_common_subsequence(word: str) -> Item | None:
    """Ask for the longest string whose letters the word and another have in the same order."""
    form = "What is the longest common subsequence of the words '{}' and '{}'?"
    return _shared(word, "longest_common_subsequence", form, longest_common_subsequences)


def _substrings(one: str, two: str) -> set[str]:
    return {each for each in common_substrings(one, two) if len(each) >= SHORTEST}


def _shared(
    word: str, name: str, form: str, rule: Callable[[str, str], Iterable[str]]
) -> Item | None:
    """Ask what the word shares with another of about its length, that shares something with it."""
    others = [other for other in _peers(word) if other != word and _substrings(word, other)]
    if not others:
        return None
    other = min(others, key=lambda each: pick(1 << 64, name, word, each))
    right = sorted(rule(word, other), key=lambda each: (-len(each), each))
    return Item(form.format(word, other), right)


def _peers(word: str) -> tuple[str, ...]:
    [lengths] = [each for each in LENGTHS if each.least <= len(word) <= each.most]
    return _words(lengths)


@cache
def _words(lengths: Lengths) -> tuple[str, ...]:
    return tuple(word for word in vocabulary() if lengths.least <= len(word) <= lengths.most)


PROBES = {
    "char_count": Probe("the letter that occurs n times in a word", char_count, "letter"),
    "nth_char": Probe("the n-th letter of a word", nth_char, "letter"),
    "nth_char_reverse": Probe("the n-th letter from a word's end", nth_char_reverse, "letter"),
    "case_conversion": Probe("a word with one letter as a capital", case_conversion, "cased"),
    "common_substring": Probe(
        "a string that two words share", common_substring, "word", distance=True
    ),
    "longest_common_substring": Probe(
        "the longest string that two words share", longest_common_substring, "word", distance=True
    ),
    "longest_common_subsequence": Probe(
        "the longest letters in order that two words share",
        longest_common_subsequence,
        "word",
        distance=True,
    ),
}

CARD = Card(
    measures="What a model knows of the letters inside its tokens, which it never reads.",
    source="The kinds of question are TKEval's (Chai et al. 2024, "
    "https://arxiv.org/abs/2406.11687, github.com/FloatAI/TKEval); words, wording and answers "
    "are our own.",
    licence="Apache-2.0, as this project.",
    protocol="200 items a probe, in three lengths of words; 0 to 3 examples of the same length "
    "(--fewshot, 3 by default); greedy, 20 tokens. `em_tkeval` takes an answer as TKEval does, "
    "`em` finds it in a sentence too; any right answer counts where there are several. Where two "
    "words are compared, `edit_distance` is the mean Levenshtein distance to the nearest right "
    "answer (lower is better, and 0 is the best).",
    limits="Not TKEval's own items, so its values do not compare. Words are English, without "
    "capitals or accents. Beside their length, what counts is "
    "how many tokens a model makes of them: bench show RUN --tokens-of MODEL divides by that.",
)


def tasks() -> Iterator[Task]:
    """Yield three tasks for each probe, by the length of its words."""
    for name, probe in PROBES.items():
        for lengths in LENGTHS:
            yield Task(
                name=f"tkeval/{name}/{lengths.name}",
                version=1,
                samples=partial(samples, name, lengths),
                ask=answers.ask,
                score=answers.score,
                metrics={**answers.EXACT, **(answers.DISTANCE if probe.distance else {})},
                chat=answers.chat,
                gold=lambda sample: f" {sample.target}",
                examples=partial(examples, name, lengths),
                fewshot=len(lengths.examples),
                groups={"word length": f"tkeval/*/{lengths.name}"},
                about=f"Probe: {probe.about}, of {lengths.name} letters",
                card=CARD,
            )


def samples(name: str, lengths: Lengths, _: Data) -> list[Sample]:
    """Give a probe's questions about words of some lengths, in an order of the probe's own."""
    order = sorted(_words(lengths), key=lambda word: pick(1 << 64, name, word))
    made = (sample for word in order for sample in made_of(name, word))
    return [sample for sample, _ in zip(made, range(lengths.samples), strict=False)]


def examples(name: str, lengths: Lengths, _: Data) -> list[Sample]:
    """Give the questions that may stand before others."""
    return [sample for word in lengths.examples for sample in made_of(name, word)]


def made_of(name: str, word: str) -> list[Sample]:
    """Give the question about one word, where the word suits."""
    probe = PROBES[name]
    item = probe.make(word)
    if item is None:
        return []
    return [
        Sample(
            id=word,
            prompt=f"Question: {item.question}\nAnswer:",
            target=item.right[0],
            group=f"tkeval/{word}",
            data={
                "question": item.question,
                "right": item.right,
                "kind": probe.kind,
                "word": word,
            },
        )
    ]
