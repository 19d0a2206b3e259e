"""The `model-index` block of a Hugging Face model card, for the numbers of one run."""

from collections.abc import Iterator
from typing import Any

from bench.leaderboards.board import Board


def cards(board: Board) -> Iterator[str]:
    """Yield for each run the YAML that goes to the top of its model's README.

    It has the main entries. The hub has no place for an interval, so that the name of a metric
    says it.
    """
    from huggingface_hub import ModelCardData  # heavy

    for at, run in enumerate(board.runs):
        name = str(run.manifest["model"].get("name") or run.name)
        found = list(_results(board, at))
        text = ModelCardData(model_name=name, eval_results=found).to_yaml()
        yield f"---\n{text}\n---\n"


def _results(board: Board, run: int) -> Iterator[Any]:
    from huggingface_hub import EvalResult

    for at in board.main:
        entry, said = board.entries[at], board.results[run].get(at)
        metric = entry.first
        numbers = said["metrics"].get(metric) if said else None
        if not numbers or numbers["value"] is None:
            continue
        low, high = (
            "?" if numbers[end] is None else f"{numbers[end]:.4f}" for end in ("low", "high")
        )
        yield EvalResult(
            task_type="text-generation",
            dataset_type=entry.name.partition("/")[0],
            dataset_config=entry.name.partition("/")[2] or None,
            dataset_name=entry.name,
            metric_type=metric.partition(" ")[0],
            metric_value=round(numbers["value"], 6),
            metric_name=f"{metric}, 95% interval {low} to {high}, n = {numbers['n']}",
            dataset_revision=None if entry.version is None else f"task version {entry.version}",
        )
