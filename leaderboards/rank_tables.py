"""A ranking by pairwise wins for a terminal of 110 columns, and what follows from it in words."""

from collections.abc import Sequence
from itertools import combinations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.harness.core import Estimate
from bench.harness.ranking import Standing
from bench.leaderboards.games import League, Pair
from bench.leaderboards.table import add_numeric, plain

MEANING = """\
rank: 1 + how many systems are surely better (0.05, by Holm over all pairs); those of one rank
cannot be told apart. strength: natural log-odds by Bradley-Terry, with the mean 0; documents are
resampled. against mean: chance to win against a system of strength 0, a tie being half a win."""
ROWS = "Win rate of the row against the column, and how many samples the judge decided."
WIDE = 8
"""columns of the matrix that stand side by side"""


def oriented(league: League) -> list[Pair]:
    """Give the pairs in the order of the ranking, the stronger system first."""
    names = [each.system for each in league.standings]
    pairs = [league.between(one, other) for one, other in combinations(names, 2)]
    return [pair for pair in pairs if pair]


def render(league: League) -> RenderableType:
    """Give the ranking, the matrix of win rates, and what the judge said of each pair."""
    parts: list[RenderableType] = [_ranking(league), Text(), Text(MEANING), Text()]
    if len(league.standings) > 2:
        for first in range(0, len(league.standings), WIDE):
            parts += [_matrix(league, first), Text()]
        parts += [Text(ROWS), Text()]
    return Group(*parts, _pairs(league), Text())


def _table(*names: str) -> Table:
    table = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _ranking(league: League) -> Table:
    table = _table()
    add_numeric(table, "rank")
    table.add_column("system", overflow="fold")
    add_numeric(table, "strength", "95% interval", "against mean", "95% interval", "games")
    for one in league.standings:
        known = one.low is not None and one.high is not None
        table.add_row(
            str(one.rank),
            plain(one.system),
            f"{one.strength:+.2f}",
            f"{one.low:+.2f} to {one.high:+.2f}" if known else "unknown",
            f"{one.win_rate:.3f}",
            f"{one.least:.3f} to {one.most:.3f}" if known else "unknown",
            f"{_games(league, one):,}",
        )
    return table


def _games(league: League, one: Standing) -> int:
    return sum(pair.scored for pair in league.pairs if one.system in {pair.one, pair.other})


def _matrix(league: League, first: int) -> Table:
    """Give the columns of the matrix from one on."""
    table = _table("win rate")
    names = [each.system for each in league.standings]
    columns = names[first : first + WIDE]
    add_numeric(table, *(str(first + at) for at in range(1, len(columns) + 1)))
    for at, one in enumerate(names, 1):
        pairs = [league.between(one, other) for other in columns]
        table.add_row(plain(f"{at} {one}"), *map(_cell, pairs))
    return table


def _cell(pair: Pair | None) -> Text:
    if pair is None:
        return Text("-")
    return Text(f"{_share(pair.estimate('win_rate').value)} ({pair.scored})")


def _pairs(league: League) -> Table:
    table = _table("pair")
    names = "win rate", "95% interval", "win", "tie", "lose", "1st place", "unread", "n"
    add_numeric(table, *names)
    for pair in oriented(league):
        won = pair.estimate("win_rate")
        rates = ("win", "tie", "lose", "first_place", "unread")
        total = len(pair.samples)
        table.add_row(
            plain(pair.one).append("\n").append(plain(f"against {pair.other}")),
            _share(won.value),
            _ends(won),
            *(_share(pair.estimate(name).value) for name in rates),
            f"{pair.scored}/{total}" if pair.scored < total else str(total),
        )
    return table


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _ends(found: Estimate) -> str:
    return " to ".join("?" if end is None else f"{end:.3f}" for end in (found.low, found.high))


def sentences(league: League) -> list[str]:
    """Say how far the ranking can be trusted."""
    return [said for said in (_place(league), _unread(league), _unknown(league.standings)) if said]


def _place(league: League) -> str:
    """Say which place the judge prefers, and how many ties come from it."""
    first, tie = league.estimate("first_place"), league.estimate("tie")
    if first.value is None:
        return ""
    seen = f"{first.value:.3f} of the time ({_ends(first)}; 0.5: no position bias)"
    ties = f"{_share(tie.value)} of what it decided are ties."
    if league.judge.get("gives") == "rewards":
        return f"The judge weighs each answer by itself and has no position bias. {ties}"
    biased = first.low is not None and first.high is not None and not first.low <= 0.5 <= first.high
    goes = " It goes by place, and where its two orders disagree that is a tie." if biased else ""
    return f"The judge prefers the answer that it reads first {seen}.{goes} {ties}"


def _unread(league: League) -> str:
    """Say how many samples no game came of, and what that leaves open."""
    total = sum(len(pair.samples) for pair in league.pairs)
    lost = total - sum(pair.scored for pair in league.pairs)
    if not lost:
        return ""
    unread = _share(league.estimate("unread").value)
    return (
        f"{lost:,} of {total:,} pairs of answers could not be scored ({unread} of the judge's "
        "replies could not be read): they are no games, and strengths do not know them; intervals "
        "of win rates reach to the best and the worst that they could be."
    )


def _unknown(standings: Sequence[Standing]) -> str:
    """Name the systems whose strength has no interval."""
    names = [each.system for each in standings if each.low is None]
    if not names:
        return ""
    return (
        f"No interval for the strength of {', '.join(names)}: whoever wins or loses everything "
        "could be any distance from the others, and documents that all say the same tell nothing "
        "of others. The win rates of pairs have intervals."
    )
