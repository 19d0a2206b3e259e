"""A run as logs of inspect_ai, one for each task, written by its own classes for its own viewer."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.harness import Verdict
from bench.harness.errors import BenchError
from bench.leaderboards.exchange.answered import Answered, answered, slugs
from bench.leaderboards.loading import clean
from bench.leaderboards.runs import Run

UNKNOWN = "(what was asked is not at hand; see --data-dir)"
SCORER = "bench"


def write_logs(run: Run, out: Path, data_dir: Path | None) -> list[Path]:
    """Write a log for each task into a folder; give their files.

    Raises:
        BenchError: inspect_ai is not installed.

    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError as problem:
        raise BenchError(
            "--format inspect: needs inspect_ai. Install it: pip install 'bench-harness[inspect]'"
        ) from problem
    names = slugs(list(run.tasks))
    out.mkdir(parents=True, exist_ok=True)
    files = list[Path]()
    for name, samples in answered(run, data_dir):
        log = _log(run, name, samples)
        date = log.eval.created.replace(":", "-")
        files.append(out / f"{date}_{names[name]}_{len(files) + 1}.eval")
        write_eval_log(log, str(files[-1]))
    return files


def _log(run: Run, name: str, samples: Sequence[Answered]) -> Any:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec

    manifest = run.manifest
    model = clean(str(manifest["model"].get("name") or run.name))
    written = [one for sample in samples for one in _samples(model, sample)]
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created=str(manifest.get("created") or "1970-01-01T00:00:00+00:00"),
            task=clean(name),
            task_version=manifest["tasks"][name].get("version") or 0,
            dataset=EvalDataset(name=clean(name), samples=len(samples)),
            model=model,
            config=EvalConfig(epochs=int(manifest["sampling"].get("n") or 1)),
            packages={key: str(value) for key, value in (manifest.get("libraries") or {}).items()},
            metadata={
                key: manifest.get(key) for key in ("model", "format", "sampling", "imported")
            },
        ),
        results=_results(run.summary["tasks"].get(name, {}), samples),
        samples=written,
    )


def _results(entry: Mapping[str, Any], samples: Sequence[Answered]) -> Any:
    from inspect_ai.log import EvalMetric, EvalResults, EvalScore

    metrics = {
        metric: EvalMetric(
            name=metric,
            value=numbers["value"],
            metadata={part: numbers[part] for part in ("low", "high", "n")},
        )
        for metric, numbers in entry.get("metrics", {}).items()
        if numbers["value"] is not None
    }
    return EvalResults(
        total_samples=len(samples),
        completed_samples=len(samples),
        scores=[EvalScore(name=SCORER, scorer=SCORER, metrics=metrics)],
    )


def _samples(model: str, one: Answered) -> Iterator[Any]:
    """Yield a sample for each draw, which are epochs there."""
    from inspect_ai.log import EvalError, EvalSample
    from inspect_ai.model import ChatMessageAssistant
    from inspect_ai.scorer import Score

    asked = _messages(one)
    for draw in one.draws:
        text = clean("".join(draw.get("texts") or ()))
        detail = clean(str(draw.get("detail") or ""))
        broken = draw["verdict"] == Verdict.INFRASTRUCTURE_ERROR
        yield EvalSample(
            id=clean(one.sample),
            epoch=int(draw["draw"]) + 1,
            input=asked or UNKNOWN,
            choices=[clean(choice) for _, choice in one.choices] or None,
            target=clean(one.target),
            messages=[*asked, ChatMessageAssistant(content=text)] if asked else [],
            output=_output(model, draw, text),
            scores={
                SCORER: Score(
                    value={"verdict": str(draw["verdict"]), **draw["values"]},
                    answer=clean(str(draw.get("extracted") or "")),
                    explanation=detail or None,
                )
            },
            metadata={"group": clean(draw.get("group") or "")},
            error=EvalError(message=detail, traceback="", traceback_ansi="") if broken else None,
        )


def _messages(one: Answered) -> list[Any]:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {"system": ChatMessageSystem, "assistant": ChatMessageAssistant}
    return [kinds.get(role, ChatMessageUser)(content=clean(text)) for role, text in one.turns]


def _output(model: str, draw: Mapping[str, Any], text: str) -> Any:
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput, ModelUsage

    read, wrote = (int(draw.get(key) or 0) for key in ("prompt_tokens", "completion_tokens"))
    reason = "max_tokens" if draw.get("finish_reason") == "length" else "stop"
    return ModelOutput(
        model=model,
        choices=[
            ChatCompletionChoice(message=ChatMessageAssistant(content=text), stop_reason=reason)
        ],
        usage=ModelUsage(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote),
    )
