"""Groups that tasks declare and gaps to their baselines, in the content of summary.json."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.harness import Sample, Task
from bench.harness.stats import bonett_price, holm, mean_of, pass_at
from bench.harness.summary import summarize
from bench.tasks import humaneval_xl

PASS_1 = {"pass@1": pass_at(1)}
FAMILY = {"en": "west", "de": "west", "ru": "east"}


def task(name, metrics=PASS_1, baseline="", **groups):
    return Task(
        name=name,
        version=1,
        samples=lambda _: [Sample("1")],
        ask=lambda sample: None,
        score=lambda sample, response, resources: None,
        metrics=metrics,
        groups={by.replace("_", " "): group for by, group in groups.items()},
        baseline=baseline,
    )


def cell(programming, natural, metrics=PASS_1):
    return task(
        f"xl/{programming}/{natural}",
        metrics,
        baseline="" if natural == "en" else f"xl/{programming}/en",
        code=f"xl/{programming}",
        tongue=f"xl/*/{natural}",
        family=f"xl/*/{FAMILY[natural]}",
    )


def record(name, problem, passed, draw=0, **changes):
    return {
        "task": name,
        "sample": str(problem),
        "draw": draw,
        "group": f"xl/{problem}",
        "verdict": "passed" if passed else "wrong",
        "values": {"passed": float(passed)},
        "finish_reason": "stop",
        "empty": False,
    } | changes


LOST = {"verdict": "infrastructure_error", "values": {}}


def records(**passes):
    """Records of cells named go_en, from a string of + and - for their problems in order."""
    return [
        record(f"xl/{name.replace('_', '/')}", problem, sign == "+")
        for name, signs in passes.items()
        for problem, sign in enumerate(signs)
    ]


def cells(codes, tongues):
    return [cell(code, tongue) for code in codes for tongue in tongues]


def divided(codes, tongues):
    groups = summarize(cells(codes, tongues), [], draws=1)["groups"]
    return {name: (group["by"], group["tasks"]) for name, group in groups.items()}


def test_tasks_are_grouped_as_they_say_and_by_their_names():
    assert divided(["go", "py"], ["en", "de", "ru"]) == {
        "xl": ("", 6),
        "xl/go": ("code", 3),
        "xl/py": ("code", 3),
        "xl/*/en": ("tongue", 2),
        "xl/*/de": ("tongue", 2),
        "xl/*/ru": ("tongue", 2),
        "xl/*/west": ("family", 4),
        "xl/*/east": ("family", 2),
    }


def test_divisions_that_say_nothing_new_are_left_out():
    assert divided(["go"], ["en", "de", "ru"]) == {"xl/go": ("", 3), "xl/*/west": ("family", 2)}
    assert divided(["go", "py"], ["de"]) == {"xl": ("", 2)}
    families = {by for by, _ in divided(["go", "py"], ["en", "ru"]).values()}
    assert families == {"", "code", "tongue"}


def test_benchmarks_divide_apart_even_where_they_call_it_the_same():
    tasks = [task(f"{top}/{i}", kind=f"{top}/k{i // 2}") for top in "ab" for i in range(4)]
    groups = summarize(tasks, [], draws=1)["groups"]
    assert list(groups) == ["a", "b", "a/k0", "a/k1", "b/k0", "b/k1"]


def test_a_declared_group_is_pooled_by_problem_like_any_other():
    scores = records(go_en="++--", py_en="+---", go_de="----", py_de="----")
    groups = summarize(cells(["go", "py"], ["en", "de"]), scores, draws=1)["groups"]
    english = groups["xl/*/en"]
    assert english["metrics"]["pass@1 (micro)"]["value"] == 3 / 8
    assert english["metrics"]["pass@1 (macro)"] == english["metrics"]["pass@1 (micro)"]
    assert english["verdicts"] == {"passed": 3, "wrong": 5}
    assert "gap" not in english


def test_micro_and_macro_differ_where_less_was_run_of_a_task():
    scores = records(go_en="++++", py_en="-")
    english = summarize(cells(["go", "py"], ["en", "de"]), scores, draws=1)["groups"]["xl/*/en"]
    values = {name: numbers["value"] for name, numbers in english["metrics"].items()}
    assert values == {"pass@1 (micro)": 0.8, "pass@1 (macro)": 0.5}


def test_the_gap_of_a_task_is_paired_with_its_baseline():
    scores = records(go_en="++++++++--", go_de="-----+++-+")
    random.Random(3).shuffle(scores)  # the order of samples is no pairing
    gap = summarize(cells(["go"], ["en", "de"]), scores, draws=1)["tasks"]["xl/go/de"]["gap"]
    low, high = bonett_price(5, 1, 10)
    assert gap == {
        "to": "xl/go/en",
        "metrics": {
            "pass@1": {
                "value": pytest.approx(-0.4),
                "low": low,
                "high": high,
                "n": 10,
                "p": pytest.approx(binomtest(1, 6).pvalue),
                "p_holm": pytest.approx(binomtest(1, 6).pvalue),
            }
        },
    }


def test_a_task_without_its_baseline_in_the_run_has_no_gap():
    summary = summarize([cell("go", "de")], records(go_de="++"), draws=1)
    assert "gap" not in summary["tasks"]["xl/go/de"]


def test_only_problems_that_both_have_are_paired():
    scores = records(go_en="+-", go_de="--++++")
    gap = summarize(cells(["go"], ["en", "de"]), scores, draws=1)["tasks"]["xl/go/de"]["gap"]
    assert (gap["metrics"]["pass@1"]["value"], gap["metrics"]["pass@1"]["n"]) == (-0.5, 2)
    apart = [row | {"group": ""} for row in scores]
    gap = summarize(cells(["go"], ["en", "de"]), apart, draws=1)["tasks"]["xl/go/de"]["gap"]
    nothing = {"value": None, "low": -1.0, "high": 1.0, "n": 0, "p": None, "p_holm": None}
    assert gap["metrics"]["pass@1"] == nothing


@pytest.mark.parametrize("side", ["en", "de"])
def test_an_unscored_side_stays_in_n_widens_the_interval_and_takes_the_p_value(side):
    scores = records(go_en="+" * 20, go_de="-" * 10 + "+" * 10)
    known = summarize(cells(["go"], ["en", "de"]), scores, draws=1)
    lost = record(f"xl/go/{side}", 20, passed=False, **LOST)
    other = record(f"xl/go/{'de' if side == 'en' else 'en'}", 20, passed=True)
    found = summarize(cells(["go"], ["en", "de"]), [*scores, lost, other], draws=1)
    before, after = (s["tasks"]["xl/go/de"]["gap"]["metrics"]["pass@1"] for s in (known, found))
    assert (after["value"], after["n"], after["p"]) == (-0.5, 21, None)
    assert after["low"] < before["low"] and before["high"] < after["high"]


def test_several_samples_of_a_problem_are_paired_with_the_mean_of_the_baselines():
    typos = task("typos/a", baseline="a", strength="typos/weak")
    scores = [record("a", 1, True), record("a", 2, False)]
    scores += [record("typos/a", f"{i}/{at}", at == 0) for i in (1, 2) for at in range(4)]
    for row in scores:
        row["group"] = row["sample"].split("/")[0]
    gap = summarize([task("a"), typos], scores, draws=1)["tasks"]["typos/a"]["gap"]
    numbers = gap["metrics"]["pass@1"]
    assert (numbers["value"], numbers["n"]) == (-0.25, 8)
    assert numbers["p"] == 1.0  # sums of -3 and 1: every choice of signs is as far from none
    lost = record("a", "1/again", passed=False, group="1", **LOST)
    gap = summarize([task("a"), typos], [*scores, lost], draws=1)["tasks"]["typos/a"]["gap"]
    numbers = gap["metrics"]["pass@1"]
    assert (numbers["value"], numbers["n"], numbers["p"]) == (0.25, 8, None)


def test_draws_are_averaged_before_they_are_paired():
    metrics = {"pass@1": pass_at(1), "pass@2": pass_at(2)}
    tasks = [cell("go", tongue, metrics) for tongue in ("en", "de")]
    scores = [
        record(f"xl/go/{tongue}", problem, sign == "+", draw)
        for tongue, answers in {"en": ["++", "++", "+-"], "de": ["+-", "--", "-+"]}.items()
        for problem, signs in enumerate(answers)
        for draw, sign in enumerate(signs)
    ]
    gap = summarize(tasks, scores, draws=2)["tasks"]["xl/go/de"]["gap"]["metrics"]
    assert gap["pass@1"]["value"] == -0.5
    assert gap["pass@1"]["p"] == 0.5  # -1, -2 and 0 answers: 2 of 4 choices of signs
    assert gap["pass@2"]["value"] == pytest.approx(-1 / 3)
    assert gap["pass@2"]["p"] == 1.0


def test_metrics_without_bounds_have_a_gap_but_no_p_value():
    metrics = {"loss": mean_of("nats", low=0.0, high=None)}
    tasks = [task("a", metrics), task("b", metrics, baseline="a")]
    scores = [
        record(name, i, True, values={"nats": nats + i % 3 * (name == "b")})
        for name, nats in (("a", 0.25), ("b", 0.5))
        for i in range(30)
    ]
    numbers = summarize(tasks, scores, draws=1)["tasks"]["b"]["gap"]["metrics"]["loss"]
    assert numbers["value"] == 1.25
    assert numbers["low"] < 1.25 < numbers["high"]
    assert numbers["p"] is None


def big(seed=0):
    """All of HumanEval-XL with made-up outcomes: records, and passes by cell and problem."""
    rng = np.random.default_rng(seed)
    chances = rng.beta(1, 1, size=80)
    worse = {name: rng.normal(0.1, 0.2, size=80) for name in humaneval_xl.NATURAL}
    worse["English"] = np.zeros(80)  # else, a translation is as bad in every cell of its language
    passes, scores = {}, []
    for one in humaneval_xl.tasks():
        passes[one.name] = rng.random(80) < chances - worse[one.name.split("/")[2]]
        scores += [record(one.name, i, bool(won)) for i, won in enumerate(passes[one.name])]
    return scores, passes


@pytest.fixture(scope="module")
def whole():
    scores, passes = big()
    return summarize(list(humaneval_xl.tasks()), scores, draws=1), passes


def test_humaneval_xl_is_divided_by_languages_and_families(whole):
    groups = whole[0]["groups"]
    by = [group["by"] for group in groups.values()]
    codes = len(humaneval_xl.PROGRAMMING)
    assert [by.count(way) for way in dict.fromkeys(by)] == [1, codes, 23, 11]
    assert groups["humaneval_xl/*/Chinese"]["tasks"] == codes
    assert groups["humaneval_xl/*/Romance"]["tasks"] == 4 * codes
    assert groups["humaneval_xl"]["metrics"]["pass@1 (micro)"]["n"] == 80 * 23 * codes


def test_every_gap_to_english_is_what_numpy_and_scipy_find(whole):
    summary, passes = whole
    for code in humaneval_xl.PROGRAMMING:
        english = passes[f"humaneval_xl/{code}/English"]
        names = [f"humaneval_xl/{code}/{n}" for n in humaneval_xl.NATURAL if n != "English"]
        found = [summary["tasks"][name]["gap"]["metrics"]["pass@1"] for name in names]
        won = [int((passes[name] & ~english).sum()) for name in names]
        lost = [int((~passes[name] & english).sum()) for name in names]
        p_values = [binomtest(w, w + d).pvalue for w, d in zip(won, lost, strict=True)]
        values = [(w - d) / 80 for w, d in zip(won, lost, strict=True)]
        assert [one["value"] for one in found] == pytest.approx(values)
        assert [one["p"] for one in found] == pytest.approx(p_values)
        assert [one["p_holm"] for one in found] == pytest.approx(holm(p_values))


def pooled_differences(passes, natural):
    return np.array(
        [
            passes[f"humaneval_xl/{code}/{natural}"].astype(float)
            - passes[f"humaneval_xl/{code}/English"]
            for code in humaneval_xl.PROGRAMMING
        ]
    )


def test_the_gap_of_a_natural_language_resamples_problems(whole):
    summary, passes = whole
    gap = summary["groups"]["humaneval_xl/*/Hebrew"]["gap"]
    numbers, apart = gap["metrics"]["pass@1"], pooled_differences(passes, "Hebrew")
    assert gap["to"] == "humaneval_xl/*/English"
    assert numbers["value"] == pytest.approx(apart.mean())
    # The t interval of the means of 80 problems is another way to the same width.
    means = apart.mean(axis=0)
    half = 1.9905 * means.std(ddof=1) / 80**0.5
    assert numbers["low"] == pytest.approx(means.mean() - half, abs=0.006)
    assert numbers["high"] == pytest.approx(means.mean() + half, abs=0.006)
    # 200,000 random choices of signs come as near to the exact p-value as they can.
    signs = np.random.default_rng(1).choice([-1, 1], size=(200_000, 80))
    p = np.mean(np.abs(signs @ apart.sum(axis=0)) >= abs(apart.sum()) - 1e-9)
    assert numbers["p"] == pytest.approx(p, abs=0.002)


def test_holm_counts_the_groups_of_one_division(whole):
    groups = whole[0]["groups"]
    for way, number in {"natural language": 22, "language family": 11}.items():
        gaps = [
            g["gap"]["metrics"]["pass@1"] for g in groups.values() if g["by"] == way and "gap" in g
        ]
        assert len(gaps) == number
        assert [one["p_holm"] for one in gaps] == pytest.approx(holm([one["p"] for one in gaps]))
    one = groups["humaneval_xl"]["gap"]["metrics"]["pass@1"]
    assert one["p_holm"] == one["p"]


def test_english_counts_in_its_family_but_not_in_the_familys_gap(whole):
    germanic = whole[0]["groups"]["humaneval_xl/*/Germanic"]
    codes = len(humaneval_xl.PROGRAMMING)
    assert germanic["metrics"]["pass@1 (micro)"]["n"] == 4 * codes * 80
    assert germanic["gap"]["metrics"]["pass@1"]["n"] == 3 * codes * 80


signs = st.text("+-", max_size=8)


@settings(max_examples=40, deadline=None)
@given(signs, signs, signs, signs, st.integers())
def test_gaps_are_in_bounds_and_plain_json_in_any_order(go_en, go_de, py_en, py_de, seed):
    scores = records(go_en=go_en, go_de=go_de, py_en=py_en, py_de=py_de)
    tasks = cells(["go", "py"], ["en", "de"])
    summary = summarize(tasks, scores, draws=1)
    assert summarize(tasks, random.Random(seed).sample(scores, len(scores)), draws=1) == summary
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    gaps = [e["gap"] for part in summary.values() for e in part.values() if "gap" in e]
    assert len(gaps) == 2 + 4  # two tasks; all, go, py and de
    for numbers in (one["metrics"]["pass@1"] for one in gaps):
        assert -1 <= numbers["low"] <= numbers["high"] <= 1
        if numbers["n"]:
            assert numbers["low"] <= numbers["value"] <= numbers["high"]
            assert 0 < numbers["p"] <= numbers["p_holm"] <= 1


def reading(**tokens):
    """Response records of cells named go_en, from the tokens of their prompts in order."""
    return [
        {"task": f"xl/{name.replace('_', '/')}", "sample": str(at), "prompt_tokens": number}
        for name, numbers in tokens.items()
        for at, number in enumerate(numbers)
    ]


def test_a_gap_says_how_many_tokens_more_are_read():
    scores = records(go_en="+++", go_de="+-+", py_en="++", py_de="--")
    tasks = cells(["go", "py"], ["en", "de"])
    read = reading(go_en=[10, 20, 30], go_de=[12, 20, 37], py_en=[5, 5], py_de=[8, 9])
    found = summarize(tasks, scores, 1, read)
    tokens = found["tasks"]["xl/go/de"]["gap"]["prompt_tokens"]
    assert (tokens["value"], tokens["n"], tokens["baseline"]) == (3.0, 3, 20.0)
    assert tokens["low"] < tokens["value"] < tokens["high"]  # three problems, resampled
    pooled = found["groups"]["xl/*/de"]["gap"]["prompt_tokens"]
    assert (pooled["value"], pooled["n"]) == (pytest.approx(16 / 5), 5)
    bare = summarize(tasks, scores, 1)
    assert bare["tasks"]["xl/go/de"]["gap"].pop("metrics")
    assert bare["tasks"]["xl/go/de"]["gap"] == {"to": "xl/go/en"}


def test_prompts_that_were_not_counted_are_none_or_left_out():
    scores, tasks = records(go_en="+++", go_de="+-+"), cells(["go"], ["en", "de"])
    some = reading(go_en=[10, 20, 30], go_de=[12, 0, 30])
    tokens = summarize(tasks, scores, 1, some)["tasks"]["xl/go/de"]["gap"]["prompt_tokens"]
    assert (tokens["value"], tokens["low"], tokens["high"], tokens["n"]) == (1.0, None, None, 3)
    none = reading(go_en=[0, 0, 0], go_de=[12, 0, 30])
    assert "prompt_tokens" not in summarize(tasks, scores, 1, none)["tasks"]["xl/go/de"]["gap"]
