"""From a number on the page of `bench leaderboard` down to a sample, in Chromium."""

import shutil

import page_runs
import pytest

pytest_plugins = ["browsing"]
pytestmark = pytest.mark.slow

IDS = ".samples .row .id"


def listed(page):
    page.wait_for_selector(IDS)
    return page.locator(IDS).all_inner_texts()


def counted(site, page, text):
    site.until(page, "text => document.querySelector('#sample-count')?.innerText === text", text)


def opened(page):
    """Wait until a sample is shown, and give what was answered."""
    page.wait_for_selector(".answer")
    return page.locator(".side")


def test_a_number_leads_to_its_samples_and_on_to_one(any_site, look, shot):
    page = look(any_site, f"#board?col={any_site.echo}")
    page.locator("table.board tbody tr", has=page.get_by_text("small", exact=True)).locator(
        "td a"
    ).click()
    counted(any_site, page, f"{len(page_runs.HOSTILE)} samples")
    shot(page, "samples")
    page.locator(".samples .row").nth(3).click()
    sides = opened(page)
    shot(page, "sample")
    scores = any_site.records("first", "scores.jsonl", any_site.echo)
    answers = any_site.records("first", "responses.jsonl", any_site.echo)
    sample = next(name for name in answers if name.startswith("3 "))
    assert sample in page.inner_text("h2")
    assert answers[sample]["texts"][0] in sides.first.inner_text()
    assert scores[sample]["verdict"].replace("_", " ") in sides.first.locator("h4").inner_text()
    assert f"Say again: {page_runs.HOSTILE[3]}" in page.locator(".asked").inner_text()
    page.select_option("#sample-b", "earlier")
    any_site.until(page, "document.querySelectorAll('.side').length === 2")
    other = any_site.records("earlier", "responses.jsonl", any_site.echo)[sample]["texts"][0]
    assert other in sides.nth(1).inner_text()
    page.go_back()
    any_site.until(page, "document.querySelectorAll('.side').length === 1")
    page.go_back()
    counted(any_site, page, f"{len(page_runs.HOSTILE)} samples")


def test_samples_are_found_by_verdict_by_difference_and_by_name(site, look):
    first = site.records("first", "scores.jsonl", site.echo)
    other = site.records("earlier", "scores.jsonl", site.echo)
    count = len(page_runs.HOSTILE)
    page = look(site, f"#entry?e={site.echo}&a=small&b=earlier")
    counted(site, page, f"{count} samples")
    page.select_option("#sample-verdict", "wrong")
    wrong = [name for name, row in first.items() if row["verdict"] == "wrong"]
    counted(site, page, f"{len(wrong)} of {count} samples")
    page.select_option("#sample-verdict", "")
    page.check("#sample-differs")
    differ = {name for name in first if first[name]["verdict"] != other[name]["verdict"]}
    counted(site, page, f"{len(differ)} of {count} samples")
    page.uncheck("#sample-differs")
    counted(site, page, f"{count} samples")
    page.fill("#sample-text", "5 JAVA")
    counted(site, page, f"1 of {count} samples")
    assert listed(page) == ["5 javascript:window.broken"[: len(listed(page)[0])]]


def test_the_list_is_used_with_keys_alone(site, look):
    page = look(site, f"#entry?e={site.echo}&a=small")
    listed(page)
    page.focus("#samples")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "Home", "ArrowDown"):
        page.keyboard.press(key)
    site.until(
        page, "document.querySelector('#samples').getAttribute('aria-activedescendant') === 'row-1'"
    )
    page.keyboard.press("Enter")
    opened(page)
    assert " 1 " in page.inner_text("h2") or "1 <" in page.inner_text("h2")
    page.focus("#next")
    page.keyboard.press("Enter")
    site.until(page, "document.querySelector('#steps')?.innerText.includes('3 of')")
    site.until(page, "document.activeElement.id === 'next'")


def test_a_link_to_a_sample_finds_it_where_it_has_moved(site, look):
    scores = site.records("first", "scores.jsonl", site.echo)
    sample = next(name for name in scores if name.startswith("2 "))
    page = look(site, "")
    page.evaluate(
        "([e, id]) => { location.hash = bench.link('sample', { e, id, s: '9', a: 'small' }); }",
        [site.echo, sample],
    )
    site.until(page, "id => document.querySelector('h2').innerText.includes(id)", sample)


def test_hostile_texts_stay_texts(site, look):
    page = look(site, f"#sample?e={site.echo}&s=0&a=small&b={site.html}")
    count = len(page_runs.HOSTILE)
    for at in range(count):
        site.until(
            page, "at => document.querySelector('#steps')?.innerText.includes(`${at} of`)", at + 1
        )
        opened(page)
        for fold in page.locator("main details").all():
            fold.evaluate("fold => { fold.open = true; }")
        injected = "main :is(script, img, style, base, iframe, object, svg:not(.whisker), a[href^=http], [onload], [onerror], [onclick])"
        assert page.locator(injected).count() == 0
        asked = page.locator(".asked pre").first.evaluate("pre => pre.textContent")
        if page_runs.HOSTILE[at].isprintable():
            assert page_runs.HOSTILE[at] in asked
        if at + 1 < count:
            page.click("#next")
    assert page.locator("h1").count() == 1


def test_what_cannot_be_seen_is_named(site, look):
    at = next(i for i, text in enumerate(page_runs.HOSTILE) if text.startswith("NUL"))
    page = look(site, f"#sample?e={site.echo}&s={at}&a=small")
    opened(page)
    named = page.locator(".asked pre >> nth=0 >> .control").all_inner_texts()
    assert named == ["NUL", "BEL", "ESC", "DEL"]
    at = next(i for i, text in enumerate(page_runs.HOSTILE) if "lone" in text)
    page = look(site, f"#sample?e={site.echo}&s={at}&a=small")
    opened(page)
    assert page.locator(".asked pre >> nth=0 >> .control").all_inner_texts() == [
        "U+D800",
        "U+DC00",
        "U+D800",
    ]


def test_log_likelihoods_and_a_judges_words_are_shown(site, look):
    page = look(site, f"#sample?e={site.echo.replace('/echo', '/weigh')}&s=0&a=small")
    opened(page)
    assert "log-likelihood" in page.inner_text(".answer table")
    task = f"versus/{site.runs}/earlier/{site.echo}"
    page = look(site, f"#sample?e={task}&s=0&a=small")
    opened(page)
    page.locator(".answer summary", has_text="judge").click()
    assert page.locator("h5", has_text="judge said").count() >= 1


def test_a_missing_piece_is_said_and_the_rest_still_works(site, chromium, tmp_path):
    copy = tmp_path / "page"
    shutil.copytree(site.folder, copy)
    shutil.rmtree(copy / "data" / "index")
    page = chromium.new_page()
    page.goto((copy / "index.html").as_uri() + f"#entry?e={site.echo}&a=small")
    site.until(
        page, "document.querySelector('#sample-count')?.innerText.includes('is missing or damaged')"
    )
    page.locator("nav a", has_text="Board").click()
    page.wait_for_selector("table.board tbody tr")
    page.close()
