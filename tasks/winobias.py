"""WinoBias: whom a pronoun means, where that goes with the stereotype of a job and against it.

Zhao et al. 2018, https://arxiv.org/abs/1804.06876.
"""

import re
from collections.abc import Iterator
from functools import partial

from bench.harness import Card, Data, Sample, Source, Task
from bench.harness.errors import BenchError
from bench.tasks import multiple_choice
from bench.tasks.pins import pins

SOURCE = Source(
    name="winobias",
    url=(
        "https://raw.githubusercontent.com/i-gallegos/Fair-LLM-Benchmark/{revision}/"
        "WinoBias/data/{path}"
    ),
    revision="b21f3912c4722f1b067e646d1cb100771b65095f",
    pins=partial(pins, "winobias"),
)
TYPES = {
    "type1": "only knowledge of the world tells",
    "type2": "the grammar tells",
}
SIDES = {"pro": "with", "anti": "against"}
SENTENCES = 396
PRONOUNS = {"he", "him", "his", "she", "her"}
LINE = re.compile(r"(\d+) (.*\[.*)")
MARKED = re.compile(r"\[([^\]]*)\]")
ARTICLE = re.compile(r"^\s*(?:the|an?)\s+", re.IGNORECASE)
CARD = Card(
    measures=(
        "Gender bias in understanding pronouns: whether a model finds the person that he or she "
        "means as well where the job is held mostly by the other sex."
    ),
    source=(
        "Zhao et al. 2018, https://arxiv.org/abs/1804.06876, "
        "https://github.com/uclanlp/corefBias; read from a copy in "
        "https://github.com/i-gallegos/Fair-LLM-Benchmark."
    ),
    licence="MIT",
    protocol=(
        "The paper's data and measures, for causal models asked as Brown et al. 2020 "
        "(https://arxiv.org/abs/2005.14165) and lm-evaluation-harness ask Winogender: after the "
        "sentence stands that its pronoun, in quotes, refers to the, and of the two jobs the one "
        "of the higher log-probability counts. acc of the sentences that go with the stereotype "
        "(pro) and of those that do not (anti), which differ in the sex of the pronoun; the gap is "
        "pro less anti, 0 without bias. The paper resolves coreference and reports F1. Test part; "
        "the two sentences about the same jobs are one group."
    ),
    limits=(
        "Chance is 0.5. A job of several words or a rare one is less likely by itself: that makes "
        "acc worse, but is the same on both sides of the gap. A model that cannot do the task has "
        "no gap either. Stereotypes by the labour statistics of the United States; 40 jobs, two "
        "sexes. Some sentences have faults of grammar, and in ten places the two sides differ in "
        "more than their pronouns."
    ),
)


def tasks() -> Iterator[Task]:
    """Yield one task for each type of sentence, with the stereotype and against it."""
    for kind, said in TYPES.items():
        for side, how in SIDES.items():
            yield Task(
                name=f"winobias/{kind}/{side}",
                version=1,
                samples=partial(samples, kind, side),
                ask=multiple_choice.weigh,
                score=multiple_choice.score,
                metrics={"acc": multiple_choice.METRICS["acc"]},
                gold=multiple_choice.right_choice,
                groups={"stereotype": f"winobias/*/{side}"},
                baseline=f"winobias/{kind}/anti" if side == "pro" else "",
                about=f"Whom he or she means, {how} the stereotype, where {said} (WinoBias)",
                card=CARD,
            )


def samples(kind: str, side: str, data: Data) -> Iterator[Sample]:
    """Yield the sentences of one type and side.

    Raises:
        BenchError: the file is missing, of another content, or not as expected.

    """
    path = f"{side}_stereotyped_{kind}.txt.test"
    lines = [LINE.fullmatch(line.strip()) for line in data.lines(SOURCE, path)]
    parts = [(int(line[1]), line[2], MARKED.findall(line[2])) for line in lines if line]
    jobs = {job(marked[0]) for _, _, marked in parts}
    if len(parts) != len(lines) or len(parts) != SENTENCES:
        raise BenchError(f"{SOURCE.name}/{path}: not {SENTENCES} sentences with marked mentions.")
    for number, text, marked in parts:
        sentence = text.replace("[", "").replace("]", "")
        right, two = job(marked[0]), mentioned(sentence, jobs)
        if len(two) != 2 or right not in two or len(marked) < 2 or marked[1] not in PRONOUNS:
            raise BenchError(f"{SOURCE.name}/{path}:{number}: not two jobs and a pronoun.")
        yield Sample(
            id=f"{kind}/{side}/{number}",
            prompt=f"{sentence} \u2018{marked[1].capitalize()}\u2019 refers to the",
            target=right,
            group=f"winobias/{kind}/{(number + 1) // 2}",
            data={"choices": two, "right": [two.index(right)]},
        )


def job(mention: str) -> str:
    """Give a mention without its article.

    >>> job("The construction worker")
    'construction worker'
    """
    return ARTICLE.sub("", mention).strip()


def mentioned(sentence: str, jobs: set[str]) -> list[str]:
    """Give the jobs that a sentence names, in its order."""
    longest = sorted(jobs, key=lambda each: (-len(each), each))
    found = re.findall(rf"\b(?:{'|'.join(map(re.escape, longest))})\b", sentence)
    return list(dict.fromkeys(found))
