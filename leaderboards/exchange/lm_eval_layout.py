"""A run as the files that lm-evaluation-harness 0.4 writes: results_*.json and samples_*.jsonl."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.leaderboards.exchange.answered import Answered, answered, slugs
from bench.leaderboards.runs import Run

NORMAL = 1.959964
"""half-width of a 95% interval in standard errors"""


def write_layout(run: Run, out: Path, data_dir: Path | None) -> Path:
    """Write a run into a folder; give the file of results.

    lm-eval names metrics "METRIC,FILTER"; ours have the filter "none". A standard error is the one
    that the interval implies. Names of tasks have "__" for "/", and "alias" has our own.
    """
    names = slugs(list(run.tasks))
    created = _created(run)
    date = created.isoformat().replace(":", "-")
    out.mkdir(parents=True, exist_ok=True)
    for name, samples in answered(run, data_dir):
        with (out / f"samples_{names[name]}_{date}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in _rows(samples))
    results = out / f"results_{date}.json"
    content = _results(run, names, created.timestamp())
    results.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return results


def _created(run: Run) -> datetime:
    try:
        return datetime.fromisoformat(str(run.manifest.get("created"))).replace(tzinfo=None)
    except ValueError:  # another program's
        return datetime.fromtimestamp(0, UTC).replace(tzinfo=None)


def _results(run: Run, names: Mapping[str, str], date: float) -> dict[str, Any]:
    model, sampling = run.manifest["model"], run.manifest["sampling"]
    said = {name: run.summary["tasks"][name] for name in names if name in run.summary["tasks"]}
    shots = {names[name]: sampling.get("fewshot") or run.tasks[name].fewshot for name in said}
    return {
        "results": {names[name]: _metrics(name, entry) for name, entry in said.items()},
        "group_subtasks": {},
        "configs": {
            names[name]: {
                "task": names[name],
                "metadata": {"version": run.manifest["tasks"][name].get("version")},
                "num_fewshot": shots[names[name]],
                "output_type": "generate_until",
            }
            for name in said
        },
        "versions": {names[name]: run.manifest["tasks"][name].get("version") for name in said},
        "n-shot": shots,
        "higher_is_better": {
            names[name]: {
                metric.partition(",")[0]: metric not in entry.get("lower_is_better", ())
                for metric in entry["metrics"]
            }
            for name, entry in said.items()
        },
        "n-samples": {
            names[name]: dict.fromkeys(("original", "effective"), _size(entry))
            for name, entry in said.items()
        },
        "config": {
            "model": str(model.get("backend") or "bench"),
            "model_args": str(model.get("name") or ""),
            "limit": sampling.get("limit"),
            "gen_kwargs": {
                key: value
                for key, value in sampling.items()
                if key in {"temperature", "top_p", "max_tokens"} and value is not None
            },
            "random_seed": sampling.get("seed"),
        },
        "git_hash": None,
        "date": date,
        "task_hashes": {},
        "model_source": str(model.get("backend") or "bench"),
        "model_name": str(model.get("name") or run.name),
        "chat_template": "as the run says" if run.manifest.get("format") == "chat" else None,
        "bench": {"manifest": run.manifest, "groups": run.summary["groups"]},
    }


def _size(entry: Mapping[str, Any]) -> int:
    return max((int(numbers["n"]) for numbers in entry["metrics"].values()), default=0)


def _metrics(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"alias": name, "sample_len": _size(entry)}
    for metric, numbers in entry["metrics"].items():
        plain, _, pipeline = metric.partition(",")
        low, high = numbers["low"], numbers["high"]
        known = None not in (low, high, numbers["value"])
        found[f"{plain},{pipeline or 'none'}"] = numbers["value"]
        found[f"{plain}_stderr,{pipeline or 'none'}"] = (
            (high - low) / 2 / NORMAL if known else "N/A"
        )
    return found


def _rows(samples: list[Answered]) -> Iterator[dict[str, Any]]:
    """Yield the lines of samples_*.jsonl: one for each sample and filter."""
    for at, one in enumerate(samples):
        by_filter: dict[str, dict[str, Any]] = {}
        for metric, value in one.values.items():
            plain, _, pipeline = metric.partition(",")
            by_filter.setdefault(pipeline or "none", {})[plain] = value
        for pipeline, values in (by_filter or {"none": {}}).items():
            yield _row(at, one) | {"filter": pipeline, "metrics": list(values), **values}


def _row(at: int, one: Answered) -> dict[str, Any]:
    doc = {"id": one.sample, "group": one.draws[0].get("group", "")}
    weighed = [draw["logprobs"] for draw in one.draws if draw.get("logprobs")]
    asked = one.choices or [(one.prompt, "")]
    return {
        "doc_id": int(one.sample) if one.sample.isdecimal() else at,
        "doc": doc,
        "target": one.target,
        "arguments": {
            f"gen_args_{number}": {"arg_0": context, "arg_1": text}
            for number, (context, text) in enumerate(asked)
        },
        "resps": [[[str(part["sum"]), str(part["greedy"])]] for part in weighed[0]]
        if weighed
        else [["".join(draw.get("texts") or ()) for draw in one.draws]],
        "filtered_resps": [str(draw.get("extracted") or "") for draw in one.draws],
        "doc_hash": _hash(json.dumps(doc)),
        "prompt_hash": _hash(one.prompt),
        "target_hash": _hash(one.target),
    }


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
