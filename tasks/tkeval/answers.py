"""Scores of answers that are one word or letter: as TKEval takes them out of a text, and as we do.

A sample's data are `question`, what was asked; `right`, all right answers; and `kind`, what an
answer looks like: a "word", a word whose capitals count ("cased"), or one "letter". The values:

* em             an answer is right that stands anywhere in the first lines, in quotes or without,
                 whatever its capitals
* em_tkeval      TKEval's rule: the text is cut to 20 characters, and its first run of a-z and A-Z
                 has to be a right answer, capitals included
* edit_distance  letters to insert, delete or replace in the answer that `em` looks at, to come to
                 the nearest right one (Levenshtein); an answer that is missing has no letters
"""

import re
from collections.abc import Iterable, Mapping

from bench.harness import (
    Chat,
    Generate,
    Message,
    Metric,
    Resources,
    Response,
    Sample,
    Sampling,
    Score,
    Verdict,
)
from bench.harness.stats import mean_of
from bench.tasks.markdown import after_thinking, plain

MAX_TOKENS = 20
"""of TKEval, for a completion"""
CHAT_TOKENS = 64
"""room for a sentence around the answer"""
CUT = 20
INSTRUCTION = "Reply with the answer only, without a sentence around it."

EXACT: Mapping[str, Metric] = {"em": mean_of("em"), "em_tkeval": mean_of("em_tkeval")}
DISTANCE: Mapping[str, Metric] = {
    "edit_distance": mean_of("edit_distance", high=None, lower_is_better=True)
}

LETTERS = re.compile(r"[a-zA-Z]+")
TOKEN = re.compile(r"[^\W_]+")
QUOTED = re.compile(r"(?<!\w)[\"'`*\u2018\u201c]+([^\W_]+)[\"'`*\u2019\u201d.,]+(?!\w)")
NEXT_QUESTION = re.compile(r"^\s*(?:Q|Question):", re.MULTILINE)
MARK = re.compile(r"\banswer(?: is\b|:)[:\s*]*|^\s*A:", re.IGNORECASE | re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.!?])\s")


def ask(sample: Sample) -> Generate:
    """Ask for the continuation of the prompt, greedily and without a stop, as TKEval does."""
    return Generate(sample.prompt, Sampling(max_tokens=MAX_TOKENS))


def chat(sample: Sample) -> Chat:
    """Ask the question alone, for nothing but the answer."""
    text = f"{sample.data['question'].strip()}\n\n{INSTRUCTION}"
    return Chat((Message("user", text),), Sampling(max_tokens=CHAT_TOKENS))


def score(sample: Sample, response: Response, _: Resources) -> Score:
    """Compare an answer with all right ones, by both rules."""
    right, kind = sample.data["right"], sample.data["kind"]
    said, ended = answer(response.text, sample.data["question"], letter=kind == "letter")
    said = said if kind == "cased" else said.lower()
    wanted = set(right) if kind == "cased" else {each.lower() for each in right}
    verdict = Verdict.WRONG if said else Verdict.NO_ANSWER
    if said in wanted:
        verdict = Verdict.PASSED
    elif response.finish_reason == "length" and not ended:
        verdict = Verdict.TRUNCATED
    values = {
        "em": float(said in wanted),
        "em_tkeval": float(first_letters(response.text) in right),
        "edit_distance": float(nearest(said, wanted)),
    }
    return Score(verdict, values, extracted=said)


def first_letters(text: str) -> str:
    """Give the answer that TKEval sees.

    >>> first_letters(" 3: lion, or tiger")
    'lion'
    """
    found = LETTERS.search(text[:CUT])
    return found[0] if found else ""


def nearest(said: str, right: Iterable[str]) -> int:
    """Give the edit distance to the nearest right answer."""
    from rapidfuzz.distance import Levenshtein

    return min(Levenshtein.distance(said, each) for each in right)


def answer(text: str, question: str, *, letter: bool) -> tuple[str, bool]:
    """Give the answer in a text, and whether the line that it stands in came to its end.

    It is in the first sentence, or in what follows "answer:" or "answer is". There it is what
    stands in quotes, else the last word; what the question says itself counts only where there is
    nothing else.

    >>> answer("The word 'hte' is a scrambled version of 'the'.", "What is hte?", letter=False)
    ('the', False)
    """
    line, ended = _line(after_thinking(plain(text)))
    asked = {token.lower() for token in TOKEN.findall(question)}
    sentence = SENTENCE_END.split(line)[0]
    for pattern in (QUOTED, TOKEN):
        found = [one for one in pattern.findall(sentence) if not letter or len(one) == 1]
        fresh = [one for one in found if one.lower() not in asked]
        if found:
            return (fresh or found)[-1], ended
    return "", ended


def _line(text: str) -> tuple[str, bool]:
    """Give the line that holds the answer, and whether it came to its end."""
    begin = NEXT_QUESTION.search(text)
    text = text[: begin.start()] if begin else text
    marked = MARK.split(text)
    # Without a mark, a line such as "Here it is:" only leads to the next.
    text = next((part for part in reversed(marked) if TOKEN.search(part)), "").lstrip()
    line, ended, rest = text.partition("\n")
    if line.rstrip().endswith(":") and rest.strip():
        line, ended, _ = rest.lstrip().partition("\n")
    return line, bool(ended or begin)
