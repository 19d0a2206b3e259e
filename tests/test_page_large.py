"""The page of `bench leaderboard` with much on it: 20 runs of 276 tasks, and a million samples."""

import itertools
import shutil

import pytest

from bench.harness import Verdict, registry
from bench.harness.groups import groups_of
from bench.leaderboards.pages.packing import encoded, put, put_zipped

pytest_plugins = ["browsing"]
pytestmark = pytest.mark.slow

RUNS = 20
MANY = 1_000_000
PIECE = 10_000


def board():
    """Give a board of HumanEval-XL whole, with made-up numbers."""
    tasks = [task for task in registry.select("humaneval_xl") if task.name.count("/") == 2]
    at = {task.name: place for place, task in enumerate(tasks)}
    entries = [
        {**entry(task.name, "task"), "version": 1, "baseline": at.get(task.baseline)}
        for task in tasks
    ]
    for name, group in groups_of(tasks).items():
        members = [at[task] for task in group.tasks]
        entries.append({**entry(name, "group"), "by": group.by, "tasks": members})
    run = {"form": "chat", "sampling": {}, "created": "2026-07-28", "imported": "", "usage": None}
    shares = itertools.cycle(range(100))
    results = [
        {str(e): result(next(shares) / 100) for e in range(len(entries))} for _ in range(RUNS)
    ]
    together = {str(e): [{"runs": list(range(RUNS)), "why": ""}] for e in range(len(entries))}
    return {
        "format": 1,
        "title": "Much",
        "created": "2026-07-28",
        "bench": "0",
        "verdicts": [verdict.value for verdict in Verdict],
        "runs": [
            {"name": f"run {r}", "model": {}, "versions": {}, "hardware": {}, "folder": f"r{r}"}
            | run
            | {"draws": 1}
            for r in range(RUNS)
        ],
        "entries": entries,
        "results": results,
        "classes": together,
        "ranks": {},
        "main": [len(tasks)],
        "samples": {"0": {"n": MANY, "index": PIECE, "piece": 250}},
        "pairs": [],
    }


def entry(name, kind):
    metrics = ["pass@1"] if kind == "task" else ["pass@1 (micro)", "pass@1 (macro)"]
    start = {"name": name, "kind": kind, "by": "", "metrics": metrics, "lower": [], "unit": "share"}
    return start | {"about": "", "tasks": [], "version": None, "baseline": None}


def result(value):
    numbers = [value, max(0, value - 0.1), min(1, value + 0.1), 80]
    metrics = dict.fromkeys(["pass@1", "pass@1 (micro)", "pass@1 (macro)"], numbers)
    return {"m": metrics, "v": {"passed": 1}, "r": {}, "u": 0}


@pytest.fixture(scope="module")
def large(site, tmp_path_factory):
    """Give the same page with other data."""
    folder = tmp_path_factory.mktemp("large") / "page"
    shutil.copytree(site.folder, folder)
    shutil.rmtree(folder / "data")
    (folder / "data").mkdir()
    put(folder / "data", "board", board())
    for piece in (0, MANY // PIECE // 2, MANY // PIECE - 1):  # those that are looked at
        ids = [f"sample-{piece * PIECE + at}" for at in range(PIECE)]
        marks = {"0": {"v": "a" * PIECE, "x": [1.0] * PIECE}}
        index = {"ids": ids, "groups": [""] * PIECE, "runs": marks}
        put_zipped(folder / "data", f"index/0/{piece}", encoded(index))
    return type(site)(site.runs, folder, (folder / "index.html").as_uri())


def test_columns_come_fifty_at_a_time_and_all_of_them_sort(large, look):
    page = look(large, "#board?b=humaneval_xl")
    heads = page.locator("table.board thead th")
    assert heads.count() == 51
    count = page.locator("#board-turn .count")
    total = int(count.inner_text().rpartition(" ")[2])
    assert total > 276
    page.click("#columns-after")
    large.until(page, "document.querySelector('#board-turn').innerText.includes('51 to 100')")
    heads.nth(7).locator("button").click()
    page.wait_for_selector("[aria-sort=descending]")
    shown = page.locator("table.board tbody td:nth-child(8) .value").all_inner_texts()
    assert len(shown) == RUNS
    assert shown == sorted(shown, reverse=True)


def test_the_whole_grid_of_languages_is_a_heat_map(large, look, shot):
    page = look(large, "#heat")
    page.wait_for_selector("table.grid")
    shot(page, "heat-whole")
    rows = page.locator("table.grid tbody tr:not(.family):not(.total)")
    assert rows.count() == 23
    assert page.locator("table.grid thead th").count() == 2 + 12
    assert page.locator("table.grid tr:not(.family):not(.total) td:not(.margin)").count() == 276
    assert page.locator("tr.family").count() == 11
    assert page.locator("td.none").count() == 0


def test_a_million_samples_are_one_list(large, look, shot):
    page = look(large, "#entry?e=humaneval_xl/csharp/Afrikaans&a=run 0")
    page.wait_for_selector(".samples .row")
    assert page.locator(".samples .row").count() < 100
    page.focus("#samples")
    page.keyboard.press("End")
    page.wait_for_selector(f"text=sample-{MANY - 1}")
    shot(page, "samples-million")
    selected = page.locator(".row[aria-selected=true]")
    assert selected.get_attribute("aria-posinset") == str(MANY)
    box = page.locator("#samples").bounding_box()
    line = selected.bounding_box()
    assert box["y"] <= line["y"] and line["y"] + line["height"] <= box["y"] + box["height"] + 1
    page.locator("#samples").evaluate("list => { list.scrollTop = list.scrollHeight / 2; }")
    page.wait_for_selector(f"text=sample-{MANY // 2 + 20}")
