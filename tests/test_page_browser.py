"""The page of `bench leaderboard` in Chromium: the board, the charts, and whoever reads them."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

pytest_plugins = ["browsing"]
pytestmark = pytest.mark.slow

PYTHON = "humaneval_xl/python/English"
VIEWS = {
    "board": ("", "table.board tbody tr"),
    "heat": ("#heat", "table.grid"),
    "difference": ("#heat?show=diff", "table.grid"),
    "curves": ("#curves", "figure svg"),
    "refusal": ("#refusal", "svg.chart"),
    "versus": ("#versus", "table.duel"),
    "forest": ("#forest?kind=all", "table.forest"),
    "group": ("#entry?e=humaneval_xl", "table.runs"),
    "run": ("#run?run=small", "dl"),
}
"""every view, and what is there when it has loaded"""


def tour(page, site):
    """Go through all views, and give their names."""
    drilled = {
        "samples": (f"#entry?e={site.echo}&a=small&b=earlier", ".samples .row"),
        "sample": (f"#sample?e={site.echo}&s=1&a=small&b=earlier", ".answer"),
    }
    for name, (view, there) in (VIEWS | drilled).items():
        page.goto(site.address + view)
        page.wait_for_selector(there)
        yield name


def rows(page):
    """Give the runs of the board from above."""
    return page.locator("table.board tbody tr:not(.apart) th bdi").all_inner_texts()


def test_the_board_shows_what_the_runs_hold(any_site, look, shot):
    page = look(any_site)
    shot(page, "board")
    assert set(rows(page)) == {"small", any_site.html, "earlier", any_site.apart, any_site.old}
    page.select_option("#benchmark", "humaneval_xl")
    head = page.locator("table.board thead th").all_inner_texts()
    column = next(at for at, text in enumerate(head) if text.startswith(PYTHON))
    row = page.locator("table.board tbody tr", has=page.get_by_text("small", exact=True))
    found = any_site.summary("first")["tasks"][PYTHON]["metrics"]["pass@1"]
    cell = row.locator("td").nth(column - 1).inner_text()
    assert f"{found['value']:.3f}" in cell
    assert f"{found['low']:.3f} to {found['high']:.3f}" in cell
    assert re.search(rf"n\s{found['n']}\b", cell)


def test_columns_sort_both_ways_and_back_undoes_it(site, look):
    page = look(site, f"#board?col={PYTHON}")
    values = {
        name: site.value(run, PYTHON, "pass@1")
        for name, run in (("small", "first"), (site.html, "second"))
    }
    best = sorted(values, key=lambda name: -values[name])
    assert [name for name in rows(page) if name in values] == best
    head = page.locator("table.board thead th").nth(1)
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").click()
    page.wait_for_selector("[aria-sort=ascending]")
    assert [name for name in rows(page) if name in values] == best[::-1]
    page.locator("#sort-\\@run").click()
    page.wait_for_selector("th[data-column='@run'][aria-sort=ascending]")
    assert rows(page) == sorted([*values, "earlier", site.apart, site.old], key=str.lower)
    page.go_back()
    page.wait_for_selector("th[data-column]:not([data-column='@run'])[aria-sort=ascending]")
    assert [name for name in rows(page) if name in values] == best[::-1]


def test_runs_that_were_measured_otherwise_stand_apart_with_the_reason(site, look):
    page = look(site, f"#board?col={PYTHON}")
    names = page.locator("table.board tbody th").all_inner_texts()
    [line] = [at for at, text in enumerate(names) if text.startswith("a. Not comparable")]
    assert "max_tokens" in names[line]
    assert site.apart in names[line + 1]
    assert "max_tokens" in page.locator("#board-notes").inner_text()


def test_an_imported_run_is_marked_and_shows_what_is_known(site, look):
    page = look(site, f"#board?col={site.echo}")
    row = page.locator("table.board tbody tr", has=page.get_by_text(site.old, exact=True))
    assert row.locator(".tag").inner_text().startswith("imported")
    assert "1.000" in row.locator("td").inner_text()
    page.goto(f"{site.address}#sample?e={site.echo}&s=0&a={site.old}&b=small")
    page.wait_for_selector(".answer")
    assert page.locator(".side").first.locator(".verdict").inner_text().endswith("passed")


def test_runs_and_columns_are_found_and_chosen(site, look):
    page = look(site)
    page.fill("#find-run", "EARL")
    site.until(page, "document.querySelector('#board-count').innerText.startsWith('1 of 5')")
    assert rows(page) == ["earlier"]
    assert "1 of 5 runs" in page.locator("#said").inner_text()
    page.fill("#find-run", "")
    page.fill("#find-column", "python/ger")
    site.until(page, "document.querySelectorAll('table.board thead th').length === 2")
    assert (
        page.locator("table.board thead th")
        .nth(1)
        .inner_text()
        .startswith("humaneval_xl/python/Ger")
    )
    page.fill("#find-column", "")
    page.get_by_text("Choose columns").click()
    page.fill("#find-tick", "java/Chinese")
    page.get_by_role("checkbox", name="humaneval_xl/java/Chinese").check()
    site.until(
        page,
        "[...document.querySelectorAll('table.board thead th')].some(h => h.innerText.includes('java/'))",
    )
    page.get_by_role("checkbox", name="humaneval_xl/java/Chinese").uncheck()
    site.until(
        page,
        "![...document.querySelectorAll('table.board thead th')].some(h => h.innerText.includes('java/'))",
    )


def test_the_first_row_and_column_stay_in_sight(site, look):
    page = look(site, "#board?b=humaneval_xl", width=700)
    box = page.locator(".box").first
    box.evaluate("box => { box.style.maxHeight = '160px'; box.scrollTo(400, 120); }")
    seen = "(cell, box) => { const [a, b] = [cell.getBoundingClientRect(), box.getBoundingClientRect()]; return [a.left - b.left, a.top - b.top]; }"
    handle = box.element_handle()
    head = page.locator("table.board thead th")
    first = page.locator("table.board tbody th").last
    assert head.nth(3).evaluate(seen, handle)[1] < 3
    assert first.evaluate(seen, handle)[0] < 3
    corner = head.first.evaluate(seen, handle)
    assert corner[0] < 3 and corner[1] < 3


def test_the_heat_map_has_the_grid_with_its_margins(site, look, shot):
    page = look(site, "#heat?b=humaneval_xl&run=small")
    page.wait_for_selector("table.grid")
    shot(page, "heat")
    head = page.locator("table.grid thead th").all_inner_texts()
    assert head[1:5] == ["all", "python", "go", "java"]
    assert head[5:] in ([], ["gap to English"])
    row = page.locator("table.grid tbody tr", has=page.get_by_text("Russian", exact=True))
    said = row.locator("td").all_inner_texts()[:4]
    summary = site.summary("first")
    margin = summary["groups"]["humaneval_xl/*/Russian"]["metrics"]["pass@1 (micro)"]["value"]
    cells = [
        site.value("first", f"humaneval_xl/{p}/Russian", "pass@1") for p in ("python", "go", "java")
    ]
    assert said == [f"{value:.3f}" for value in (margin, *cells)]
    families = page.locator("tr.family th").all_inner_texts()
    assert "Germanic" in families and "Slavic" in families


def test_the_heat_map_shows_the_difference_of_two_runs(site, look, shot):
    page = look(site, f"#heat?b=humaneval_xl&show=diff&run={site.html}&base=small")
    page.wait_for_selector("table.grid")
    shot(page, "heat-difference")
    row = page.locator("table.grid tbody tr", has=page.get_by_text("English", exact=True))
    [said] = row.locator("td").all_inner_texts()[1:2]
    difference = site.value("second", PYTHON, "pass@1") - site.value("first", PYTHON, "pass@1")
    assert abs(float(said.strip("*").replace("\u2212", "-")) - difference) < 0.0006


def test_typos_are_drawn_as_curves_with_intervals(site, look, shot):
    page = look(site, "#curves")
    figure = page.locator("figure").first
    shot(page, "curves")
    assert figure.locator("polyline").count() == 2
    assert figure.locator("line.bar").count() == 6
    figure.get_by_text("The numbers").click()
    task = f"typos/char_permute-1/{site.echo.replace('echo', 'quiet')}"
    gap = site.summary("first")["tasks"][task]["gap"]["metrics"]["acc"]["value"]
    said = figure.locator("tbody tr").first.locator("td").nth(1).inner_text()
    assert abs(float(said.replace("\u2212", "-")) - gap) < 0.0006
    page.get_by_label("small", exact=True).uncheck()
    site.until(page, "document.querySelectorAll('figure polyline').length === 1")


def test_refusals_are_drawn_against_over_refusals(site, look, shot):
    page = look(site, "#refusal")
    shot(page, "refusal")
    assert page.locator("svg.chart .mark").count() == 2
    row = page.locator("tbody tr", has=page.get_by_role("link", name="small"))
    assert f"{site.value('first', 'xstest/safe', 'over_refusal'):.3f}" in row.inner_text()
    assert f"{site.value('first', 'xstest/unsafe', 'attack_success'):.3f}" in row.inner_text()


def test_win_rates_stand_with_the_bias_of_the_judge(site, look, shot):
    page = look(site, "#versus")
    shot(page, "versus")
    task = f"versus/{site.runs}/earlier/{site.echo}"
    assert "earlier" in page.locator("table.duel thead").inner_text()
    first = page.locator("table.duel tbody tr", has=page.get_by_text("small", exact=True))
    assert f"{site.value('first', task, 'win_rate'):.3f}" in first.inner_text()
    bias = page.locator("table").last.locator("tbody tr").first
    assert f"{site.value('first', task, 'first_place'):.3f}" in bias.inner_text()
    assert bias.locator("svg .zero").count() == 1


def test_a_comparison_is_a_forest_plot_and_turns_round(site, look, shot):
    page = look(site, f"#forest?kind=task&base=small&candidate={site.html}&t=python/English")
    page.wait_for_selector("table.forest")
    shot(page, "forest")
    cells = page.locator("table.forest tbody tr").first.locator("td")
    there = [cells.nth(at).inner_text().split("\n")[0].replace("\u2212", "-") for at in (1, 3, 4)]
    base, candidate = site.value("first", PYTHON, "pass@1"), site.value("second", PYTHON, "pass@1")
    assert abs(float(there[0]) - (candidate - base)) < 0.0006
    assert there[1:] == [f"{base:.3f}", f"{candidate:.3f}"]
    page.click("#forest-swap")
    site.until(page, "document.querySelector('#forest-base').value !== 'small'")
    page.wait_for_selector("table.forest")
    back = page.locator("table.forest tbody tr").first.locator("td").nth(1).inner_text()
    assert float(back.split("\n")[0].replace("\u2212", "-")) == -float(there[0])


def test_dark_and_light_follow_the_system_until_the_reader_chooses(any_site, look, shot):
    background = "getComputedStyle(document.body).backgroundColor"
    light = look(any_site).evaluate(background)
    page = look(any_site, scheme="dark")
    shot(page, "board-dark")
    assert page.evaluate(background) != light
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: light"
    assert page.evaluate(background) == light
    page.reload()
    assert page.evaluate(background) == light
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: dark"
    assert page.evaluate(background) != light


def test_nothing_is_wider_than_a_phone(site, look, shot):
    page = look(site, width=375)
    for name in tour(page, site):
        shot(page, f"{name}-375")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, name
        assert page.evaluate("document.querySelector('h2').getBoundingClientRect().right") <= 375


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site, look, shot, scheme):
    page = look(site, scheme=scheme)
    found = []
    for name in tour(page, site):
        shot(page, f"{name}-{scheme}")
        # Without preload, which would fetch the style sheet once more.
        violations = Axe().run(page, options={"preload": False}).response["violations"]
        found += [
            (name, one["id"], one["nodes"][0]["html"][:200])
            for one in violations
            if one["impact"] in {"serious", "critical"}
        ]
    assert found == []


def test_the_keyboard_is_enough(site, look):
    page = look(site, f"#board?col={PYTHON}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if (page.evaluate("document.activeElement.id") or "").startswith("sort-"):
            break
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the next column's name: PYTHON, sorted downwards already
    page.wait_for_selector("[aria-sort=ascending]")
    assert page.evaluate("document.activeElement.className") == "sort"  # the focus stays
    page.locator("nav a", has_text="Compare").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:text('Compare')")
    assert page.evaluate("document.activeElement.tagName") == "H2"


def test_without_scripts_the_main_results_are_still_there(site, look):
    page = look(site, java_script_enabled=False)
    said = page.inner_text("main")
    total = site.summary("first")["groups"]["humaneval_xl"]["metrics"]["pass@1 (micro)"]
    assert f"{total['value']:.3f}" in said
    assert site.html in said


def test_a_link_to_what_is_not_there_says_so(site, look):
    for view in ("#entry?e=nothing", "#sample?e=nothing&s=3", "#run?run=nobody"):
        assert "Go to the board." in look(site, view).inner_text("main")
    assert rows(look(site, "#nonsense?%%%&col=nothing&sort=nothing"))
