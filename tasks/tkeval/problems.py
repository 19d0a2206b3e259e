"""TKEval's complex problems, from BIG-bench: words to unscramble, theorems to tell from false ones.

BIG-bench 1.0.0 (Srivastava et al. 2022, https://arxiv.org/abs/2206.04615) gives the items, their
wording and the form of examples; TKEval how answers are taken and scored.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from bench.harness import (
    Card,
    Data,
    LogLikelihood,
    Resources,
    Response,
    Sample,
    Score,
    Source,
    Task,
    Verdict,
    choices,
)
from bench.harness.data import required
from bench.harness.errors import BenchError
from bench.harness.stats import mean_of
from bench.tasks import multiple_choice
from bench.tasks.pins import pins
from bench.tasks.tkeval import answers
from bench.tasks.wordplay import pick

SOURCE = Source(
    name="bigbench",
    url="https://raw.githubusercontent.com/google/BIG-bench/{revision}/bigbench/benchmark_tasks/{path}",
    revision="092b196c1f8f14a54bbc62f24759d43bde46dd3b",
    pins=partial(pins, "bigbench"),
)
FEWSHOT = 3
WORDS = 1000
"""of the 20,975 that may be cycled"""
CYCLED = "Please unscramble the letters into a word"
KEYS = ("input", "target")
PREAMBLE = (
    "What follows is a purported mathematical theorem. Some will be true, while other will be "
    "false. If the theorem is correct, write the theorem exactly as it is given. Otherwise, write "
    "a corrected version of the theorem. Write all answeres in compilable LaTeX."
)
"""BIG-bench's instruction, its slip included"""
THEOREM, CORRECTED = "\n\\textbf{Theorem:} ", "\n\n\\textbf{Corrected Theorem:} "
SEED = 42
"""of the order in which BIG-bench lists choices"""
PAPERS = (
    "TKEval (Chai et al. 2024, https://arxiv.org/abs/2406.11687, github.com/FloatAI/TKEval); items "
    "from BIG-bench 1.0.0 (Srivastava et al. 2022, https://arxiv.org/abs/2206.04615, "
    "github.com/google/BIG-bench)."
)
PROTOCOL = (
    "TKEval's: BIG-bench's wording, 0 to 3 examples (--fewshot, 3 by default), greedy, 20 tokens. "
    "`em_tkeval` is its score; `em` finds the answer in a sentence as well and takes any capitals. "
    "The chat form is ours: the question, and that the answer alone is wanted."
)
SHOTS = "Which examples TKEval shows is not published with its code; here they are the same for all"


def tasks() -> Iterator[Task]:
    """Yield the three kinds of problem."""
    yield Task(
        name="tkeval/cycled_letters",
        version=1,
        samples=cycled,
        ask=answers.ask,
        score=answers.score,
        metrics=answers.EXACT,
        chat=answers.chat,
        gold=_first,
        examples=partial(cycled, begin=WORDS, count=FEWSHOT),
        fewshot=FEWSHOT,
        about=f"{WORDS:,} words whose letters were moved round, to be put right (TKEval)",
        card=Card(
            measures="Whether a model can undo a rotation of a word's letters.",
            source=PAPERS,
            licence="Apache-2.0.",
            protocol=PROTOCOL,
            limits=f"BIG-bench draws words and rotations by a seed of NumPy; here a hash picks "
            f"{WORDS:,} words and one rotation of each. {SHOTS}. BIG-bench ships the words inside "
            "a program, so that they can be read from --data-dir only.",
        ),
    )
    yield Task(
        name="tkeval/word_unscrambling",
        version=1,
        samples=unscrambling,
        ask=answers.ask,
        score=answers.score,
        metrics=answers.EXACT,
        chat=answers.chat,
        gold=_first,
        examples=partial(_mixed, unscrambling),
        fewshot=FEWSHOT,
        preamble="\n",
        about="8,917 scrambled words to be put right (TKEval)",
        card=Card(
            measures="Whether a model finds the word that scrambled letters make.",
            source=PAPERS,
            licence="Apache-2.0.",
            protocol=PROTOCOL,
            limits=f"{SHOTS} and items of the set themselves, never the one that is asked. Some "
            "words are scrambled more than once and resampled together. The words are frequent "
            "ones, and the file is public.",
        ),
    )
    yield _theorems()


def _theorems() -> Task:
    return Task(
        name="tkeval/identify_math_theorems",
        version=1,
        samples=theorems,
        ask=weigh,
        score=score_theorem,
        metrics={"acc_token": mean_of("acc_token"), "acc": multiple_choice.METRICS["acc"]},
        gold=_first,
        examples=partial(_mixed, theorems),
        fewshot=FEWSHOT,
        preamble=f"{PREAMBLE}\n",
        about="53 theorems, to be told from false versions of them (TKEval)",
        card=Card(
            measures="Whether a model finds a true theorem, in LaTeX, likelier than false ones.",
            source=PAPERS,
            licence="Apache-2.0.",
            protocol="TKEval's: the choice of the highest mean log-probability a token counts "
            "(`acc_token`; `acc` is by the sum), with 0 to 3 examples (--fewshot, 3 by default) "
            "in BIG-bench's wording.",
            limits="The file has 54 items, but the 35th repeats the 33rd (approximating 3-SAT), "
            "and BIG-bench drops repeats: hence 53, of which all published values are multiples. "
            "Two more items ask about the same theorem (Lie algebras) with other choices, and are "
            "resampled together. TKEval encodes a choice apart from its question, here both are "
            f"encoded together. {SHOTS} and items of the set themselves, drawn by a hash, but "
            "never the one that is asked. With 53 items an interval is some 13 points to each "
            "side.",
        ),
    )


def cycled(data: Data, begin: int = 0, count: int = WORDS) -> list[Sample]:
    """Give words in an order of their hashes, each rotated by a number of letters of its own."""
    words = data.lines(SOURCE, "cycled_letters/valid_cycle_words.txt")
    order = sorted(words, key=lambda word: pick(1 << 64, "cycled_letters", word))
    return [cycled_sample(word) for word in order[begin : begin + count]]


def cycled_sample(word: str) -> Sample:
    """Give the question for one word; no rotation is the word itself."""
    turned = [f"{word[at:]}{word[:at]}" for at in range(1, len(word))]
    other = [each for each in turned if each != word]
    if not other:
        raise BenchError(f"{SOURCE.name}/cycled_letters: {word!r} has no rotation.")
    letters = other[pick(len(other), "rotation", word)]
    return Sample(
        id=word,
        prompt=f"{CYCLED} Q: {letters} A: ",
        target=word,
        data={"question": f"{CYCLED}: {letters}", "right": [word], "kind": "word"},
    )


def unscrambling(data: Data) -> list[Sample]:
    """Give the scrambled words in the order of the file."""
    path = "word_unscrambling/task.json"
    found = []
    for number, row in enumerate(_examples(data, path)):
        question, target = (required(row, key, f"{SOURCE.name}/{path}") for key in KEYS)
        right = [target] if isinstance(target, str) else list(target)
        letters = "".join(sorted(right[0]))
        found.append(
            Sample(
                id=str(number),
                prompt=f"Q: {question}\nA: ",
                target=right[0],
                group=f"tkeval/unscrambling/{letters}",
                data={"question": question, "right": right, "kind": "word"},
            )
        )
    return found


def theorems(data: Data) -> list[Sample]:
    """Give the theorems in the order of the file, each once."""
    path = "identify_math_theorems/task.json"
    found = []
    distinct = {
        json.dumps(row): (at, row) for at, row in reversed([*enumerate(_examples(data, path))])
    }
    for number, row in sorted(distinct.values(), key=lambda pair: pair[0]):
        question = required(row, "input", f"{SOURCE.name}/{path}")
        scores = required(row, "target_scores", f"{SOURCE.name}/{path}")
        texts = list(scores)
        right = [at for at, text in enumerate(texts) if scores[text] == 1]
        listed = "".join(f"\n  choice: {text}" for text in _permuted(texts))
        found.append(
            Sample(
                id=str(number),
                prompt=f"{THEOREM}{question}{listed}{CORRECTED}",
                target=texts[right[0]],
                group=f"tkeval/theorems/{pick(1 << 32, question)}",
                data={"choices": texts, "right": right},
            )
        )
    return found


def _permuted(texts: Sequence[str]) -> list[str]:
    """Give choices in the order in which BIG-bench lists them."""
    import numpy as np  # heavy

    order = np.random.RandomState(SEED).permutation(len(texts))
    return [sorted(texts)[at] for at in order]


def _examples(data: Data, path: str) -> list[Mapping[str, Any]]:
    """Give the items of a task of BIG-bench."""
    value, file = data.json(SOURCE, path), f"{SOURCE.name}/{path}"
    if not isinstance(value, dict):
        raise BenchError(f"{file}: not a JSON object.")
    rows: list[Mapping[str, Any]] = required(value, "examples", file)
    return rows


def _first(sample: Sample) -> str:
    return sample.target


def _mixed(samples: Any, data: Data) -> Iterable[Sample]:
    """Give samples in an order of their hashes, as the first ones of a file are the easiest."""
    found: list[Sample] = samples(data)
    return sorted(found, key=lambda sample: pick(1 << 64, "example", sample.id))


def weigh(sample: Sample) -> LogLikelihood:
    """Ask how likely each version of a theorem is."""
    return choices(sample.prompt, sample.data["choices"])


def score_theorem(sample: Sample, response: Response, resources: Resources) -> Score:
    """Tell whether the choice of the highest mean log-probability a token is right."""
    score = multiple_choice.score(sample, response, resources)
    if not response.logprobs:
        return Score(score.verdict, {**score.values, "acc_token": 0.0})
    means = [each.sum / max(each.tokens, 1) for each in response.logprobs]
    chosen = multiple_choice.best(sample.id, means)
    right = chosen in sample.data["right"]
    return Score(
        Verdict.PASSED if right else Verdict.WRONG,
        {**score.values, "acc_token": float(right)},
        extracted=sample.data["choices"][chosen],
    )
