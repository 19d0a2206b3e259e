"""Chromium on a page of `bench leaderboard`, as a pytest plugin; whatever it complains of fails.

Screenshots go to the folder BENCH_ARTIFACTS, or else to pytest's own.
"""

import functools
import http.server
import json
import os
import shutil
import threading
from pathlib import Path

import page_runs
import pytest
from command_line import bench

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


class Site:
    """A page, the runs that it was built from, and the address where it is read."""

    html = "<img src=x onerror=alert(1)>/\u0627\u0644\u0646\u0645\u0648\u0630\u062c"
    """the second run's name"""
    apart = "longer answers"
    """the name of the run that was measured in another way"""

    old = "numbers of last year"
    """the name of a run that is imported"""

    def __init__(self, runs, folder, address):
        self.runs, self.folder, self.address = runs, folder, address

    @staticmethod
    def until(page, expression, arg=None):
        """Wait until an expression is true; Playwright's own way needs eval, which is forbidden."""
        for _ in range(200):
            if page.evaluate(expression, arg):
                return
            page.wait_for_timeout(50)
        raise AssertionError(f"never true: {expression}")

    def summary(self, run):
        return json.loads((self.runs / run / "summary.json").read_text())

    def value(self, run, task, metric):
        return self.summary(run)["tasks"][task]["metrics"][metric]["value"]

    def records(self, run, file, task):
        rows = map(json.loads, (self.runs / run / file).read_text().splitlines())
        return {row["sample"]: row for row in rows if row["task"] == task}

    @property
    def echo(self):
        return f"file/{self.runs}/own.py/echo"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build a page of five runs: one was measured in another way, and one is imported."""
    runs = tmp_path_factory.mktemp("runs")
    own = Path(os.environ.get("BENCH_DATA_DIR") or Path(__file__).parents[2] / "shared" / "data")
    data_dir = own if own.is_dir() else None
    folders = page_runs.write_pair(runs, data_dir)
    folders.append(
        page_runs.write_run(runs / "apart", page_runs.XL, Site.apart, 4, data_dir, max_tokens=1024)
    )
    folders.append(imported(runs))
    page = tmp_path_factory.mktemp("site") / "page"
    done = bench("leaderboard", *folders, "--out", page, "--title", "Leaderboard <b>of</b> runs")
    assert done.returncode == 0, done.stderr
    return runs, page


def imported(runs):
    """Import scores of the task `echo` that came from somewhere else."""
    rows = map(json.loads, (runs / "first" / "scores.jsonl").read_text().splitlines())
    task = f"file/{runs}/own.py/echo"
    scores = [{"id": row["sample"], "score": 1} for row in rows if row["task"] == task]
    file = runs / "old.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in scores))
    done = bench("import", file, "--task", task, "--model", Site.old, "--out", runs / "old")
    assert done.returncode == 0, done.stderr
    return runs / "old"


@pytest.fixture(scope="session")
def served(built):
    """Serve the page on loopback, as any static host would."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(built[1]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def site(built):
    """Give the page as it lies on a disk."""
    return Site(*built, (built[1] / "index.html").as_uri())


@pytest.fixture(scope="session", params=["file", "http"])
def any_site(built, request):
    """Give the page from a disk, and from a server."""
    address = (built[1] / "index.html").as_uri()
    return Site(*built, address if request.param == "file" else request.getfixturevalue("served"))


@pytest.fixture(scope="session")
def chromium():
    """Start Chromium once; without one, tests are skipped, but fail where CI is set."""
    executable = shutil.which("chromium")
    if not executable:
        message = "No chromium. Install it: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Give a function that opens an address; what went wrong on any page fails at the end."""
    problems, contexts = [], []

    def opened(site, view="", *, width=1280, scheme="light", **options):
        viewport = {"width": width, "height": 850}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        watch(page, site, problems)
        page.goto(site.address + view)
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            problems += [f"window.broken {it}" for it in [page.evaluate("window.broken")] if it]
        context.close()
    assert problems == []


def watch(page, site, problems):
    """Note errors, dialogs, and requests that leave the folder of the page."""
    home = site.address.rpartition("/")[0] + "/"

    def asked(request):
        if not request.url.startswith((home, "data:")):
            problems.append(f"request to {request.url}")

    def dialog(one):
        problems.append(f"dialog {one.message}")
        one.dismiss()

    page.on("request", asked)
    page.on("dialog", dialog)
    page.on("pageerror", lambda error: problems.append(f"error {error}"))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)


@pytest.fixture(scope="session")
def shot(tmp_path_factory):
    """Give a function that keeps a screenshot of a page."""
    kept = os.environ.get("BENCH_ARTIFACTS")
    folder = Path(kept) / "page" if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=folder / f"{name}.png")
