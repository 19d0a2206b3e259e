"""SummEval: summaries of news that experts scored, compared in pairs.

Fabbri et al. 2021, https://arxiv.org/abs/2007.12626.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from statistics import fmean
from typing import Any

from bench.harness import Card, Data, Source, Task
from bench.harness.data import required
from bench.harness.errors import BenchError
from bench.harness.ranking import Game
from bench.tasks import preferences
from bench.tasks.pairwise import CRITERIA, TIE, Question
from bench.tasks.pins import pins

SOURCE = Source(
    name="summeval_h2h",
    url="https://raw.githubusercontent.com/DAMO-NLP-SG/LLM_summeval/{revision}/{path}",
    revision="bd7dde15817a88940c17574973ff03e750356daa",
    pins=partial(pins, "summeval_h2h"),
)
SYSTEMS = ("M8", "M9", "M10", "M11", "M12", "M13")
SCORED = ("relevance", "coherence", "consistency", "fluency")
ASKED = "Summarize this article."
CARD = Card(
    measures="Whether a judge prefers the summary that experts gave the higher scores.",
    source=(
        "Fabbri et al. 2021, https://arxiv.org/abs/2007.12626, "
        "https://github.com/Yale-LILY/SummEval; read from "
        "https://github.com/DAMO-NLP-SG/LLM_summeval"
    ),
    licence="MIT; the articles are CNN's and the Daily Mail's",
    protocol=(
        "100 articles, each summarized by six systems (M8 to M13) and scored by three experts from "
        "1 to 5 for each criterion. A pair is two systems on one article, and people preferred the "
        "one with the higher mean over the experts (overall: over the criteria as well); pairs "
        "with equal means are left out. Intervals resample articles." + preferences.PROTOCOL
    ),
    limits=(
        "Six of the paper's systems, all older than language models that chat. Half the pairs are "
        "equal in consistency, nearly as many in fluency, and the others differ by little. The "
        "means are of three experts who agree moderately. Articles are in much training data."
    ),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a system wrote about an article, and the mean score of experts by criterion."""

    system: str
    article: str
    text: str
    summary: str
    scores: Mapping[str, float]


def tasks() -> Iterator[Task]:
    """Yield a task for judges and one for reward models for each criterion, and overall."""
    for criterion in ("overall", *SCORED):
        about = f"Summaries of news that experts scored (SummEval, {criterion})"
        read = partial(pairs, criterion)
        benchmark = preferences.Benchmark(f"summeval/{criterion}", about, CARD, read)
        yield from preferences.judging([benchmark])


def pairs(criterion: str, data: Data) -> Iterator[preferences.Pair]:
    """Yield the pairs of systems whose summaries of an article differ in score."""
    for one, other, label in _compared(criterion, data):
        if label != TIE:
            yield preferences.Pair(
                id=f"{one.article}/{one.system}-{other.system}",
                question=Question(CRITERIA[criterion], f"{ASKED}\n\n{one.text}"),
                answers=(one.summary, other.summary),
                label=label,
                group=f"article/{one.article}",
            )


def games(criterion: str, data: Data) -> Iterator[Game]:
    """Yield who wins against whom on which article as the experts scored it, for a ranking."""
    for one, other, label in _compared(criterion, data):
        won = {TIE: 0.5, 1: 1.0, 2: 0.0}[label]
        yield Game(one.article, one.system, other.system, won)


def _compared(criterion: str, data: Data) -> Iterator[tuple[Summary, Summary, int]]:
    systems = [summaries(system, data) for system in SYSTEMS]
    for article in systems[0]:
        if not all(article in each for each in systems):
            raise BenchError(f"{SOURCE.name}: not every system has a summary of {article}.")
        for one, other in combinations([each[article] for each in systems], 2):
            ahead = one.scores[criterion] - other.scores[criterion]
            yield one, other, TIE if abs(ahead) < 1e-9 else 1 if ahead > 0 else 2


def summaries(system: str, data: Data) -> dict[str, Summary]:
    """Give what a system wrote by article.

    Raises:
        BenchError: the file is missing, of another content, or not as expected.

    """
    path = f"model_output_annotations/{system}_outputs_annotations.jsonl"
    file = f"{SOURCE.name}/{path}"
    found = dict[str, Summary]()
    for row in data.rows(SOURCE, path):
        article = str(required(row, "id", file))
        text, summary = (str(required(row, key, file)) for key in ("text", "decoded"))
        scores = _means(required(row, "expert_annotations", file), file)
        found[article] = Summary(system, article, text, summary, scores)
    return found


def _means(experts: Sequence[Mapping[str, Any]], file: str) -> Mapping[str, float]:
    means = {name: fmean(required(each, name, file) for each in experts) for name in SCORED}
    return {**means, "overall": fmean(means.values())}
