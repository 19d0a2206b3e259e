"""What a leaderboard costs: many runs of HumanEval-XL, and one run of a million samples.

Run folders are written as `bench run` writes them, with made-up answers. Each page is built by
`bench leaderboard` in processes of its own, whose memory is sampled together (the proportional set
size, so that what they share counts once), and then opened in Chromium from the disk.

Usage: .venv/bin/python benchmarks/leaderboard.py [--runs 20] [--samples 1000000] [--keep FOLDER]
HumanEval-XL's prompts are on the page where BENCH_DATA_DIR names the data. The figures of
Chromium need playwright and /usr/bin/chromium.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.harness import Data, Task, registry
from bench.harness.errors import BenchError
from bench.harness.plan import Plan, Settings
from bench.harness.store import MANIFEST, RESPONSES, SCORES, SUMMARY, read_records, write_json
from bench.harness.summary import summarize

BENCH = Path(sys.executable).with_name("bench")
CHROMIUM = "/usr/bin/chromium"
AIMS = {"seconds": 60.0, "MiB": 1024.0, "first paint ms": 1000.0, "sort ms": 100.0}
OWN = '''
"""Sums, as many as wanted."""
from bench.harness import Generate, Sample, Score, Task, Verdict
from bench.harness.stats import mean_of

def samples(data):
    for at in range({samples}):
        yield Sample(f"{{at}}", f"What is {{at}} plus {{at % 97}}? Reply with the number.", str(at))

def ask(sample):
    return Generate(sample.prompt)

def score(sample, response, resources):
    return Score(Verdict.PASSED, {{"acc": 1.0}})

def tasks():
    yield Task("sums", 1, samples, ask, score, {{"acc": mean_of("acc")}})
'''
CODE = "    total = 0\\n    for item in numbers:\\n        total += item * {}\\n    return total\\n"
WRONG = "wrong", "runtime_error", "timeout", "compile_error"
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
SORT = """async () => {
  const heads = [...document.querySelectorAll('thead th:has(button)')];
  const times = [];
  for (const th of heads.slice(0, 5)) {
    const before = th.getAttribute('aria-sort');
    const start = performance.now();
    th.querySelector('button').click();
    do await new Promise(requestAnimationFrame);
    while (th.getAttribute('aria-sort') === before && performance.now() - start < 5000);
    times.push(performance.now() - start);
  }
  return times;
}"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one page took to build, and to show."""

    seconds: float
    megabytes: float
    """at the peak, of all processes together"""
    size: float
    """of the page in MB"""
    files: int
    paint: float | None
    """milliseconds to the first content"""
    sort: float | None
    """milliseconds from a click to the next frame, the slowest of five"""


def main() -> None:
    """Write runs, build pages, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="folder for runs and pages, which stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = options.keep or Path(scratch)
        root.mkdir(parents=True, exist_ok=True)
        many = write_many(root / "many", options.runs)
        report(f"{len(many)} runs of HumanEval-XL", measured(many, root / "many-page"))
        million = write_million(root / f"run-of-{options.samples}", options.samples)
        report(f"a run of {options.samples:,} samples", measured([million], root / "million-page"))


def report(title: str, found: Figures) -> None:
    """Print figures beside the aims."""
    print(f"{title}: {found.files:,} files, {found.size:,.0f} MB")
    rows = found.seconds, found.megabytes, found.paint, found.sort
    for (name, aim), value in zip(AIMS.items(), rows, strict=True):
        said = "not measured" if value is None else f"{value:,.1f}"
        mark = "" if value is None else "  met" if value <= aim else "  MISSED"
        print(f"  {name:<16}{said:>14}   aim {aim:,.0f}{mark}", flush=True)


def write_many(root: Path, runs: int) -> list[Path]:
    """Write runs of all of HumanEval-XL."""
    directory = os.environ.get("BENCH_DATA_DIR")
    tasks = registry.select("humaneval_xl")
    described, ids = described_as(tasks, directory and Path(directory))
    for at in range(runs):
        write_run(root / f"run-{at:02}", tasks, ids, described, at, directory)
        print(f"\rwritten: {at + 1} of {runs} runs", end="", file=sys.stderr)
    print(file=sys.stderr)
    return [root / f"run-{at:02}" for at in range(runs)]


def write_million(root: Path, samples: int) -> Path:
    """Write one run of a task with many samples."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "own.py").write_text(OWN.format(samples=samples))
    tasks = registry.select(f"file/{root}/own.py")
    described, _ = described_as(tasks, None)
    ids = {tasks[0].name: [(str(at), "") for at in range(samples)]}
    write_run(root / "run", tasks, ids, described, 0, None)
    return root / "run"


def described_as(
    tasks: Sequence[Task], directory: Path | None
) -> tuple[dict[str, Any], dict[str, list[tuple[str, str]]]]:
    """Give what manifests say of tasks, and the id and group of each sample."""
    plan = Plan(tasks, Data(directory, fetch=False), Settings(), "")
    try:
        described = plan.describe()[1]
    except BenchError:
        print("The data is not at hand: a page without prompts.", file=sys.stderr)
        entry = {"version": 1, "samples": 80, "prompts": "none", "requests": "none"}
        return dict.fromkeys((task.name for task in tasks), entry), {
            task.name: [(f"{task.languages[0]}/{i}", f"humaneval_xl/{i}") for i in range(80)]
            for task in tasks
        }
    if len(tasks) == 1:
        return described, {}
    return described, {t.name: [(s.id, s.group) for s in plan.samples(t)] for t in tasks}


def write_run(  # noqa: PLR0917 - one place writes all
    folder: Path,
    tasks: Sequence[Task],
    ids: Mapping[str, Sequence[tuple[str, str]]],
    described: Mapping[str, Any],
    number: int,
    directory: str | None,
) -> None:
    """Write a run folder, unless it is there."""
    if (folder / SUMMARY).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(number)
    value = next(iter(next(iter(tasks)).metrics.values())).of
    with (folder / RESPONSES).open("w") as responses, (folder / SCORES).open("w") as scores:
        for name, samples in ids.items():
            for sample, group in samples:
                score, response = records(rng, (name, sample, group, value), number)
                scores.write(json.dumps(score, separators=(",", ":")) + "\n")
                responses.write(json.dumps(response, separators=(",", ":")) + "\n")
    sampling = asdict(Settings())
    del sampling["chat"]
    manifest = {
        "created": f"2026-07-{number % 28 + 1:02}T09:30:00+00:00",
        "model": {"name": f"lab/model-{number}", "backend": "scripted", "revision": f"{number}"},
        "format": "completion",
        "sampling": sampling,
        "tasks": described,
        "data": {},
        "sandbox": None,
        "judge": None,
        "libraries": {"bench-harness": "0.1.0"},
        "data_dir": directory,
        "hardware": {},
    }
    write_json(folder / MANIFEST, manifest)
    write_json(folder / SUMMARY, summarize(tasks, read_records(folder / SCORES), 1))


def records(
    rng: random.Random, what: tuple[str, str, str, Any], number: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the score and the response of one answer; later runs are better."""
    name, sample, group, value = what
    right = rng.random() < 0.3 + number / 40
    text = CODE.format(rng.randrange(10**6)) * rng.randrange(2, 9)
    head = {"key": f"{rng.getrandbits(128):032x}", "task": name, "sample": sample, "draw": 0}
    score = {
        "group": group,
        "verdict": "passed" if right else rng.choice(WRONG),
        "values": {value: float(right)},
        "finish_reason": "stop",
        "empty": False,
        "extracted": f"def solve(numbers):\n{text}",
        "detail": "" if right else f"AssertionError: expected {rng.random()}",
    }
    counts = {"finish_reason": "stop", "prompt_tokens": 150, "completion_tokens": len(text) // 4}
    return head | score, head | {"texts": [text]} | counts


def measured(runs: Sequence[Path], out: Path) -> Figures:
    """Build a page, and open it."""
    began = time.monotonic()
    command = [str(BENCH), "leaderboard", *map(str, runs), "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        peak = peak_of(process)
    seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(process.returncode)
    files = [file for file in out.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    paint, sort = shown(out / "index.html")
    return Figures(seconds, peak / 2**20, size / 1e6, len(files), paint, sort)


def peak_of(process: subprocess.Popen[bytes]) -> int:
    """Give the most memory that a process and its children had together until it ended."""
    import psutil

    peak = 0
    root = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        try:
            for one in [root, *root.children(recursive=True)]:
                total += one.memory_full_info().pss
        except psutil.Error:  # it has ended meanwhile
            continue
        peak = max(peak, total)
        time.sleep(0.1)
    return peak


def shown(page: Path) -> tuple[float | None, float | None]:
    """Give milliseconds to the first content, and to sort by a column."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None, None
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        view = browser.new_page(viewport={"width": 1280, "height": 800})
        view.goto("about:blank")  # so that starting the browser does not count
        view.goto(page.resolve().as_uri())
        view.wait_for_function(PAINT)
        paint, sorts = view.evaluate(PAINT), view.evaluate(SORT)
        browser.close()
    return paint, max(sorts, default=None)


if __name__ == "__main__":
    main()
