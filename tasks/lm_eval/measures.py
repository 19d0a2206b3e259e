"""lm-eval's metrics as ours: what of each sample is kept, and how a task's value comes from that.

Most are means. The others are functions of all samples, such as perplexity, F1 or corpus BLEU; what
they need of each sample is kept as a few numbers, so that intervals can resample the samples.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import isfinite
from statistics import fmean
from typing import Any

from bench.harness import Metric
from bench.tasks.lm_eval.listing import Listed, say

SHARES = {"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"}
"""means of values from 0 to 1"""
SEVERAL = {"majority_vote", "take_first_k"}
"""steps of filters that need several answers to one sample at once"""
STATISTICS = {"bleu": 10, "chrf": 18, "chrf++": 24, "ter": 2}
"""how many sums of corpus statistics a metric of sacrebleu is computed from"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which lm-eval aggregates: how many numbers of each sample it takes, and bounds.

    `pooled`: the value of a task is no mean.
    """

    numbers: int
    pooled: bool
    low: float | None
    high: float | None


KINDS = {
    "mean": Kind(1, False, None, None),
    "nanmean": Kind(1, False, None, None),
    "brier_score": Kind(1, False, 0.0, 2.0),
    "median": Kind(1, True, None, None),
    "perplexity": Kind(1, True, 0.0, None),
    "weighted_perplexity": Kind(2, True, 0.0, None),
    "bits_per_byte": Kind(2, True, None, None),
    "f1": Kind(2, True, 0.0, 1.0),
    "matthews_corrcoef": Kind(2, True, -1.0, 1.0),
    **{name: Kind(size, True, 0.0, 100.0) for name, size in STATISTICS.items()},
    "ter": Kind(2, True, 0.0, None),
}
ERRORS = {"brier_score", "perplexity", "weighted_perplexity", "bits_per_byte", "ter"}
"""of these, less is better"""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric of lm-eval on the answers that one of its filter pipelines lets through."""

    name: str
    metric: str
    pipeline: str
    aggregation: str
    of: tuple[str, ...]

    def values(self, value: Any) -> dict[str, float]:
        """Give what is kept of the value that lm-eval gives a sample, by name; {} for no number."""
        try:
            numbers = [float(number) for number in self._numbers(value)]
        except (TypeError, ValueError):
            return {}
        fits = len(numbers) == len(self.of) and all(map(isfinite, numbers))
        return dict(zip(self.of, numbers, strict=True)) if fits else {}

    def _numbers(self, value: Any) -> Sequence[Any]:
        if self.aggregation in STATISTICS:
            return statistics(self.aggregation, value)
        if self.aggregation == "brier_score":
            return [aggregate("brier_score", [value])]
        return [value] if len(self.of) == 1 else value

    def ours(self) -> Metric:
        """Give the metric that our summaries know."""
        kind = KINDS[self.aggregation]
        low, high = (0.0, 1.0) if self.metric in SHARES else (kind.low, kind.high)
        lower = self.aggregation in ERRORS
        if not kind.pooled:
            return Metric(self.of[0], fmean, low=low, high=high, lower_is_better=lower)
        return Metric(
            self.of,
            fmean,
            low=low,
            high=high,
            pool=partial(pool, self.aggregation),
            lower_is_better=lower,
        )


def measures(task: Listed) -> list[Measure]:
    """Give the metrics of a task, and say which are left out."""
    return [
        Measure(f"{metric},{pipeline}", metric, pipeline, aggregation, names)
        for metric, aggregation in metrics(task)
        for pipeline in pipelines(task)
        for names in [value_names(f"{metric},{pipeline}", KINDS[aggregation].numbers)]
    ]


def value_names(name: str, count: int) -> tuple[str, ...]:
    """Give the names under which the numbers of a sample are kept."""
    return (name,) if count == 1 else tuple(f"{name}:{number}" for number in range(count))


def metrics(task: Listed) -> Iterator[tuple[str, str]]:
    """Yield (metric, aggregation) of what a configuration lists, or of what lm-eval measures."""
    from lm_eval.api.registry import DEFAULT_METRIC_REGISTRY, get_metric_aggregation

    kind = task.config.get("output_type", "generate_until")
    entries: Sequence[Mapping[str, Any]] = task.config.get("metric_list") or [
        {"metric": name} for name in DEFAULT_METRIC_REGISTRY[kind]
    ]
    for entry in entries:
        metric = function_name(entry["metric"])
        chosen = entry.get("aggregation") or get_metric_aggregation(metric)
        aggregation = chosen if isinstance(chosen, str) else registered(chosen)
        if aggregation in KINDS and metric != "likelihood":
            yield metric, aggregation
        else:
            how = function_name(chosen) if chosen else "nothing"
            say(f"{task.name}: its metric {metric!r} is left out; it aggregates by {how!r}.")


def function_name(function: Any) -> str:
    """Give the name of a function, which before it is imported is a path with a name at its end."""
    return str(getattr(function, "__name__", function)).rpartition("/")[2].rpartition(".")[2]


def registered(aggregation: Any) -> str:
    """Give the name of an aggregation of lm-eval, "" if it is none of them."""
    from lm_eval.api.registry import AGGREGATION_REGISTRY

    names = [name for name in AGGREGATION_REGISTRY if AGGREGATION_REGISTRY[name] is aggregation]
    return names[0] if names else ""


def pipelines(task: Listed) -> Iterator[str]:
    """Yield the names of the filter pipelines that judge one answer at a time."""
    for pipeline in task.config.get("filter_list") or [{"name": "none", "filter": []}]:
        steps = {str(step["function"]) for step in pipeline["filter"]}
        if steps & SEVERAL:
            listed = ", ".join(sorted(steps & SEVERAL))
            say(
                f"{task.name}: its filter {pipeline['name']!r} is left out; it needs several "
                f"answers at once ({listed})."
            )
        else:
            yield str(pipeline["name"])


def pool(aggregation: str, rows: Sequence[tuple[float, ...]]) -> float | None:
    """Give the value of a task from the numbers of its samples; None where it is undefined."""
    if aggregation in STATISTICS:
        sums = [round(sum(column)) for column in zip(*rows, strict=True)]
        return float(sacrebleu(aggregation)._compute_score_from_stats(sums).score)  # noqa: SLF001
    items = [row[0] for row in rows] if KINDS[aggregation].numbers == 1 else rows
    try:
        value = aggregate(aggregation, items)
    except (ValueError, ArithmeticError):
        return None
    return value if isfinite(value) else None


def aggregate(aggregation: str, items: Sequence[Any]) -> float:
    """Let lm-eval aggregate; it warns of what is undefined, and gives a number all the same."""
    from lm_eval.api.registry import get_aggregation

    with warnings.catch_warnings(action="ignore"):
        return float(get_aggregation(aggregation)(items))


def statistics(aggregation: str, value: Any) -> Sequence[float]:
    """Give the corpus statistics of one (reference, answer); a corpus has the sums of them."""
    from lm_eval.api.metrics import _sacreformat

    references, answers = _sacreformat([value[0]], [value[1]])
    # sacrebleu has no public way to what its own resampling of a corpus uses.
    extract = sacrebleu(aggregation)._extract_corpus_statistics  # noqa: SLF001
    numbers: Sequence[float] = extract(answers, references)[0]
    return numbers


@cache
def sacrebleu(aggregation: str) -> Any:
    """Give the metric of sacrebleu that lm-eval aggregates by, with its settings."""
    from sacrebleu.metrics import BLEU, CHRF, TER

    makers = {"bleu": BLEU, "chrf": CHRF, "chrf++": partial(CHRF, word_order=2), "ter": TER}
    return makers[aggregation]()
