"""`bench compare`: two runs, sample by sample, through the command line."""

import json

import pytest
import typer
from command_line import bench
from run_folders import SAMPLING, task, write_run
from typer.testing import CliRunner

from bench.harness.stats import holm, wilson
from bench.leaderboards.compare import compare
from bench.leaderboards.power import Spread, spread_of

app = typer.Typer()
app.command()(compare)


def pairs(lost=0, won=0, both=0, neither=0, groups=None):
    """Scores of a base and a candidate, which wins and loses so many of the samples."""
    base = [1.0] * lost + [0.0] * won + [1.0] * both + [0.0] * neither
    candidate = [0.0] * lost + [1.0] * won + [1.0] * both + [0.0] * neither
    names = [f"s{at}" for at in range(len(base))]
    return [
        {
            name: (v, groups[at]) if groups else v
            for at, (name, v) in enumerate(zip(names, side, strict=True))
        }
        for side in (base, candidate)
    ]


def written(folder, cells, **manifest):
    """Write a base and a candidate from {task: (base's scores, candidate's scores)}."""
    return [
        write_run(
            folder / name, {one: sides[at] for one, sides in cells.items()}, model=name, **manifest
        )
        for at, name in enumerate(("base", "candidate"))
    ]


def ended(*arguments):
    """Call the command in this process, and give what it prints."""
    done = CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "110"})
    assert done.exit_code == 0, done.exception
    return done.stdout


def compared(*arguments):
    return json.loads(ended(*arguments, "--json"))


def shown(*arguments):
    """What is printed, in one line."""
    return " ".join(ended(*arguments).split())


# Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13:91, table 1: the 21
# children of Bentur et al. (2009); exact p by definition 2 * (1 + 8) / 2**8. The interval is that
# of table V of their paper of 2014, Statistics in Medicine 33:2850.
def test_mcnemars_exact_test_and_the_interval_are_those_of_the_literature(tmp_path):
    runs = written(tmp_path, {"airways": pairs(lost=7, won=1, both=1, neither=12)})
    found = compared(*runs)["tasks"]["airways"]["metrics"]["acc"]
    assert found["p"] == pytest.approx(0.0703, abs=5e-5)
    assert found["exact"] and found["p_holm"] == found["p"]
    assert (round(found["low"], 3), round(found["high"], 3)) == (-0.508, -0.013)
    assert found["verdict"] == "undecided"
    assert len(found["lost"]) == 7 and found["won"] == ["s7"]


# Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289, section 4.1:
# 15 p-values of a trial of thrombolysis (Neuhaus et al. 1992). Bonferroni's correction and
# Hochberg's, between which Holm's lies, reject the same three at 0.05.
def test_holm_rejects_what_the_literature_rejects():
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p_values += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    corrected = holm(p_values)
    assert sum(p <= 0.05 for p in corrected) == 3
    assert corrected[:4] == pytest.approx([0.0015, 0.0056, 0.0247, 0.114])


# Newcombe (1998), Statistics in Medicine 17:857, table I, method 3: 81 of 263.
def test_wilsons_interval_is_that_of_the_literature(tmp_path):
    run = write_run(tmp_path / "run", {"t": {str(at): float(at < 81) for at in range(263)}})
    found = json.loads(bench("show", run, "--json").stdout)["tasks"]["t"]["metrics"]["acc"]
    assert (round(found["low"], 4), round(found["high"], 4)) == (0.2553, 0.3662)
    assert (found["low"], found["high"]) == wilson(81, 263)


# Connor (1987), Biometrics 43:207: 23 pairs where 0.45 of them differ one way and 0.05 the other.
# With the continuity correction n becomes n/4 * (1 + sqrt(1 + 4 / (n * d)))**2, as for two groups.
def test_the_pairs_that_are_needed_are_connors_and_more_for_the_steps_of_an_exact_test():
    plain = (1.959964 * 0.5**0.5 + 0.841621 * (0.5 - 0.4**2) ** 0.5) ** 2 / 0.4**2
    few = Spread(problems=2, pairs=2, square=0.5, reach=1.0, exact=True)
    assert few.needed(0.4, 0.05) == -(-plain // 1) == 23
    more = plain / 4 * (1 + (1 + 4 / (plain * 0.4)) ** 0.5) ** 2
    stepped = Spread(problems=6, pairs=6, square=0.5, step=1.0, reach=1.0, exact=True)
    assert stepped.needed(0.4, 0.05) == -(-more // 1) == 27


def test_pairs_that_never_differ_could_differ_in_a_larger_run():
    found = spread_of([0.0] * 98, [str(at) for at in range(98)], 1.0, 1.0)
    assert found.square == 2 / 100
    needed = found.needed(0.02, 0.05)
    assert needed > 98
    assert spread_of([0.0] * 8, list("abcdefgh"), 1.0, 1.0).needed(0.02, 0.05) > needed


def test_a_drop_is_called_worse_and_said_plainly(tmp_path):
    runs = written(tmp_path, {"bench/task": pairs(lost=30, won=4, both=50, neither=16)})
    text = shown(*runs)
    assert "The candidate is worse on bench/task by 26.0 points of acc (" in text
    assert "over 100 samples" in text and "would not have been seen 4 times in 5" in text
    found = compared(*runs)
    assert found["sentences"][0] in text
    one = found["tasks"]["bench/task"]["metrics"]["acc"]
    assert one["verdict"] == "worse" and one["value"] == pytest.approx(-0.26)
    assert one["lost"] == [f"s{at}" for at in range(30)]
    back = compared(runs[1], runs[0])["tasks"]["bench/task"]["metrics"]["acc"]
    assert back["verdict"] == "better" and back["value"] == -one["value"]
    assert (back["low"], back["high"]) == pytest.approx((-one["high"], -one["low"]))
    assert back["p"] == one["p"] and back["won"] == one["lost"]


def test_where_less_is_better_a_rise_is_worse(tmp_path):
    kinds = [task("harm", "attack_success", lower_is_better=True)]
    kinds += [task("xstest/safe", "over_refusal", lower_is_better=True)]
    cells = {"harm": pairs(lost=30, both=70), "xstest/safe": pairs(won=30, neither=70)}
    runs = written(tmp_path, cells, tasks=kinds)
    found = compared(*runs)
    harm = found["tasks"]["harm"]["metrics"]["attack_success"]
    safe = found["tasks"]["xstest/safe"]["metrics"]["over_refusal"]
    assert (harm["verdict"], safe["verdict"]) == ("better", "worse")
    assert len(harm["won"]) == 30 and len(safe["lost"]) == 30
    beside = [
        said for said in found["sentences"] if said.startswith("Attack success: fell by 30.0")
    ]
    assert "Over-refusal: rose by 30.0 points on xstest/safe." in beside[0]
    assert "refuses more of everything" in beside[0]
    text = shown(*runs)
    heads = [
        text.index(f"{name} (less is better) base") for name in ("attack_success", "over_refusal")
    ]
    assert heads == sorted(heads)


def test_attack_success_alone_says_what_is_missing(tmp_path):
    kinds = [task("harm", "attack_success", lower_is_better=True)]
    runs = written(tmp_path, {"harm": pairs(lost=30, both=70)}, tasks=kinds)
    assert any("xstest/safe" in said for said in compared(*runs)["sentences"])


def test_all_samples_alike_proves_little_of_a_larger_run(tmp_path):
    runs = written(tmp_path, {"t": pairs(both=40, neither=40)})
    found = compared(*runs)["tasks"]["t"]["metrics"]["acc"]
    assert (found["value"], found["p"], found["verdict"]) == (0.0, 1.0, "undecided")
    assert 0.1 < found["detectable"] < 0.2 and found["high"] < found["detectable"]
    assert "nothing differs, over 80 samples" in shown(*runs)


def test_so_few_problems_that_nothing_could_be_seen(tmp_path):
    runs = written(tmp_path, {"t": pairs(lost=5, both=0)})
    found = compared(*runs)["tasks"]["t"]["metrics"]["acc"]
    assert found["detectable"] is None and found["verdict"] == "undecided"
    assert "With 5 problems no difference could have been seen" in shown(*runs)


def test_one_problem_in_many_languages_is_one_problem(tmp_path):
    sides = [[], []]
    for _ in range(23):
        for at, side in enumerate(pairs(lost=5, both=75, groups=[f"p{i}" for i in range(80)])):
            sides[at].append(side)
    cells = {f"xl/python/L{at}": both for at, both in enumerate(zip(*sides, strict=True))}
    found = compared(*written(tmp_path, cells))
    whole = found["groups"]["xl/python"]["metrics"]["acc"]
    assert whole["n"] == 23 * 80
    assert whole["p"] == found["tasks"]["xl/python/L0"]["metrics"]["acc"]["p"] == 2 / 2**5
    assert whole["verdict"] == "undecided"
    assert found["wholes"] == ["xl/python"]


def test_parts_are_corrected_together_and_wholes_apart_from_them(tmp_path):
    cells = {f"xl/python/L{at}": pairs(both=40, neither=40) for at in range(22)}
    cells["xl/python/bad"] = pairs(lost=14, won=2, both=32, neither=32)
    found = compared(*written(tmp_path, cells))
    one = found["tasks"]["xl/python/bad"]["metrics"]["acc"]
    assert one["tested"] == 23 and one["p_holm"] == pytest.approx(23 * one["p"])
    assert one["p"] < 0.05 < one["p_holm"] and one["verdict"] == "undecided"
    assert found["groups"]["xl/python"]["metrics"]["acc"]["tested"] == 1


def test_a_part_that_goes_another_way_is_named(tmp_path):
    cells = {f"xl/python/L{at}": pairs(lost=20, both=40, neither=20) for at in range(5)}
    cells["xl/python/odd"] = pairs(won=25, both=40, neither=15)
    said = compared(*written(tmp_path, cells))["sentences"]
    assert "Unlike the whole, better: xl/python/odd by 31.2 points" in " ".join(said)


def test_a_part_that_loses_far_more_is_named(tmp_path):
    cells = {f"xl/python/L{at}": pairs(lost=2, both=40, neither=38) for at in range(5)}
    cells["xl/python/odd"] = pairs(lost=40, both=20, neither=20)
    said = compared(*written(tmp_path, cells))["sentences"]
    assert "By more than the whole: xl/python/odd by 50.0 points" in " ".join(said)


def test_276_cells_are_not_276_rows(tmp_path):
    cells = {
        f"xl/{language}/L{at}": pairs(lost=1, won=1, both=9, neither=9)
        for language in ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")
        for at in range(23)
    }
    cells["xl/a/L0"] = pairs(lost=20)
    runs = written(tmp_path, cells)
    text = shown(*runs)
    assert text.count("xl/a/L0") >= 1 and "xl/b/L7" not in text
    assert "275 tasks are not shown one by one" in text
    assert text.index("xl/a") < text.index("xl/b")
    everything = shown(*runs, "--all")
    assert "xl/b/L7" in everything and "not shown one by one" not in everything
    assert "xl/b/L7, acc worse (1): s0" in everything


def test_values_between_have_a_p_from_the_interval(tmp_path):
    sides = [{f"s{at}": 0.1 + (at % 7) / 10 + by for at in range(60)} for by in (0.0, 0.03)]
    sides[1] = {
        name: value + (0.01 if at % 2 else -0.01)
        for at, (name, value) in enumerate(sides[1].items())
    }
    runs = written(tmp_path, {"t": sides})
    found = compared(*runs)["tasks"]["t"]["metrics"]["acc"]
    assert not found["exact"] and found["p"] < 0.001 and found["verdict"] == "better"
    assert "~<0.001" in shown(*runs)


def test_an_unscored_sample_is_named_and_widens(tmp_path):
    base, candidate = pairs(lost=12, both=60, neither=8)
    whole = compared(*written(tmp_path / "whole", {"t": (base, candidate)}))["tasks"]["t"][
        "metrics"
    ]["acc"]
    runs = written(tmp_path / "part", {"t": (base, candidate | {"s79": None, "s78": None})})
    found = compared(*runs)
    one = found["tasks"]["t"]["metrics"]["acc"]
    assert one["missing"] == ["s78", "s79"] and one["unscored"] == 2
    assert one["low"] < whole["low"] and one["high"] > whole["high"]
    assert one["detectable"] > whole["detectable"]
    said = " ".join(found["sentences"])
    assert "2 pairs lack a score" in said and "candidate has 2 infrastructure errors (t 2)" in said
    assert "78/80" in shown(*runs)


def test_samples_of_one_run_only_are_counted(tmp_path):
    base, candidate = pairs(lost=12, both=60, neither=8)
    runs = written(tmp_path, {"t": (base, candidate)})
    part = write_run(
        tmp_path / "part",
        {"t": dict(list(candidate.items())[:50])},
        sampling=SAMPLING | {"limit": 50},
    )
    found = compared(runs[0], part)
    assert found["tasks"]["t"]["metrics"]["acc"]["n"] == 50
    assert "30 samples are in one of the runs only" in " ".join(found["sentences"])


def test_tasks_that_cannot_be_compared_are_left_out_with_the_reason(tmp_path):
    base = write_run(tmp_path / "a", {"t": pairs(both=9)[0], "only": pairs(both=9)[0]}, model="a")
    candidate = write_run(tmp_path / "b", {"t": pairs(both=9)[1]}, model="b")
    assert compared(base, candidate)["left_out"] == {"only": ["not run by b"]}
    assert "Not compared (1): only: not run by b." in shown(base, candidate)


def test_a_metric_can_be_named_and_a_wrong_one_is_refused(tmp_path):
    runs = written(tmp_path, {"t": pairs(lost=9, both=9)})
    assert list(compared(*runs, "--metric", "acc")["tasks"]["t"]["metrics"]) == ["acc"]
    done = bench("compare", *runs, "--metric", "bleu")
    assert done.returncode == 2
    assert done.stderr == "bench: --metric 'bleu': these runs share acc.\n"


def no_run(folder):
    return folder


def half_written(folder):
    (write_run(folder, {"t": pairs(both=9)[0]}) / "summary.json").unlink()
    return folder


def other_samples(folder):
    return write_run(folder, {"t": {"z1": 1.0, "z2": 0.0}})


def other_version(folder):
    return write_run(folder, {"t": pairs(both=9)[0]}, format="chat")


def damaged(folder):
    write_run(folder, {"t": pairs(both=9)[0]})
    with (folder / "scores.jsonl").open("a") as file:
        file.write("{]\n")
    return folder


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (no_run, "no such folder"),
        (half_written, "not finished"),
        (other_samples, "nothing to compare"),
        (other_version, "asked in completion form and in chat form"),
        (damaged, "damaged"),
    ],
)
def test_bad_input_is_one_line(tmp_path, make, said):
    base = write_run(tmp_path / "base", {"t": pairs(both=9)[0]})
    done = bench("compare", base, make(tmp_path / "other"))
    assert done.returncode == 2 and done.stdout == ""
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_a_run_against_itself_is_refused(tmp_path):
    base = write_run(tmp_path / "base", {"t": pairs(both=9)[0]})
    done = bench("compare", base, base)
    assert done.returncode == 2 and "named twice" in done.stderr


def test_nan_is_no_score(tmp_path):
    base, candidate = pairs(lost=9, both=30)
    runs = written(tmp_path, {"t": (base, candidate | {"s38": float("nan")})})
    found = compared(*runs)["tasks"]["t"]["metrics"]["acc"]
    assert found["missing"] == ["s38"]


def test_names_of_models_and_tasks_are_only_text(tmp_path):
    name = "[red]x[/red]\x1b[31m\u202e"
    runs = [
        write_run(tmp_path / str(at), {name: side}, model=name)
        for at, side in enumerate(pairs(lost=9, both=30))
    ]
    text = shown(*runs)
    assert "\x1b" not in text and "\u202e" not in text and "[red]x[/red]" in text
