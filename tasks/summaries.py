"""What benchmarks of summaries share: asking for one, and judging it beside the reference."""

from collections.abc import Callable, Iterable, Iterator
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
    Task,
    Verdict,
)
from bench.harness.core import Judge
from bench.tasks import overlap, pairwise

SAMPLING = Sampling(max_tokens=256)
OVERALL = ("overall",)
CRITERIA = ("relevance", "coherence", "consistency", "fluency")
PROTOCOL = (
    " similarity: ROUGE-1/2/L F1 with stemming (rouge-score), the highest over the references; "
    "corpus BLEU and chrF2 (sacrebleu) with all of them. judged: a judge (--judge, a language "
    "model or a reward model) says whether the summary or the first reference is better, in both "
    "orders, and where it disagrees with itself that is a tie; win_rate is win + tie / 2, "
    "first_place how often the first of the two was preferred (0.5: no position bias), unread the "
    "replies that are no letter, whose samples stay unscored; lc_win_rate is the win rate at "
    "equal length by AlpacaEval 2's logistic regression, without its term for the prompt. "
    "criteria: the same for relevance, coherence, consistency and fluency. The prompts are ours."
)
LIMITS = (
    " Overlap with a reference tells little about the quality of one summary. A win rate is worth "
    "no more than its judge: give the judge as --model to summeval, llmbar and pandalm, and see "
    "whether it agrees with people. ROUGE of the papers is often that of the Perl script, and "
    "differs by some tenths."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A benchmark of summaries: how its texts are asked about."""

    name: str
    about: str
    asked: str
    """before the text, in chat form and for the judge"""
    after: str
    """what comes after the text in completion form"""
    card: Card


def forms(kind: Kind, read: Callable[[Data], Iterable[Sample]]) -> Iterator[Task]:
    """Yield a benchmark by its references, by a judge, and by a judge of each criterion."""
    plain = Task(
        name=f"{kind.name}/similarity",
        version=1,
        samples=read,
        ask=partial(_ask, kind),
        chat=partial(_chat, kind),
        score=_score,
        metrics=overlap.METRICS,
        gold=lambda sample: f" {sample.target}",
        about=f"{kind.about}: ROUGE, BLEU and chrF",
        card=kind.card,
    )
    yield plain
    yield judged(plain, "judged", OVERALL, f"{kind.about}: win rate against the reference")
    yield judged(plain, "criteria", CRITERIA, f"{kind.about}: win rate by criterion")


def judged(plain: Task, name: str, criteria: tuple[str, ...], about: str) -> Task:
    """Give a task whose summaries are judged as well."""
    found = dict(plain.metrics)
    for criterion in criteria:
        prefix = _prefix(criterion)
        found |= pairwise.metrics(prefix)
        found[f"{prefix}lc_win_rate"] = pairwise.length_control(prefix)
    full = f"{plain.name.rpartition('/')[0]}/{name}"
    return Task(
        name=full,
        version=2,
        samples=plain.samples,
        ask=plain.ask,
        chat=plain.chat,
        score=partial(_score_judged, full, criteria),
        metrics=found,
        gold=plain.gold,
        judged=True,
        about=about,
        card=plain.card,
    )


def request(kind: Kind, text: str) -> str:
    """Give what a text is asked with in chat form."""
    return f"{kind.asked}\n\n{text}"


def _ask(kind: Kind, sample: Sample) -> Generate:
    sampling = Sampling(max_tokens=SAMPLING.max_tokens, stop=("\n",))
    return Generate(f"{sample.data['text']}\n\n{kind.after}", sampling)


def _chat(_: Kind, sample: Sample) -> Chat:
    return Chat((Message("user", sample.prompt),), SAMPLING)


def _score(sample: Sample, response: Response, _: Resources) -> Score:
    text = response.text.strip()
    values = overlap.values(text, sample.data["references"])
    return Score(_ended(text, response) or Verdict.PASSED, values, extracted=text)


def _ended(text: str, response: Response) -> Verdict | None:
    """Give the verdict of a summary that is missing or cut off."""
    if response.finish_reason == "length":
        return Verdict.TRUNCATED
    return None if text else Verdict.NO_ANSWER


def _score_judged(
    name: str,
    criteria: tuple[str, ...],
    sample: Sample,
    response: Response,
    resources: Resources,
) -> Score:
    judge = resources.judge
    assert judge is not None
    if len(criteria) > 1:
        pairwise.needs_words(judge, name)
    plain = _score(sample, response, resources)
    text = plain.extracted
    values = {**plain.values, "longer": float(len(text) - len(sample.target))}
    found = {each: _compared(judge, each, sample, text) for each in criteria}
    for criterion, comparison in found.items():
        values |= pairwise.values(_prefix(criterion), comparison)
    verdict = pairwise.verdict([comparison.said for comparison in found.values()], response)
    return Score(verdict, values, extracted=text, detail=pairwise.told(found))


def _compared(judge: Judge, criterion: str, sample: Sample, text: str) -> pairwise.Comparison:
    question = pairwise.Question(pairwise.CRITERIA[criterion], sample.prompt)
    return pairwise.compare(judge, question, text, sample.target)


def _prefix(criterion: str) -> str:
    return "" if criterion == "overall" else f"{criterion}_"
