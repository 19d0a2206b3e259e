"""`bench rank`: many systems in order, by whose answers a judge prefers."""

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bench.leaderboards.games import League, Pair


def rank(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of finished runs of versus/RUN/TASK."),
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Print the ranking as JSON instead.")
    ] = False,
) -> None:
    """Rank models by pairwise wins, from runs that were judged beside one another."""
    from bench.leaderboards.games import leagues  # numpy and scipy with it
    from bench.leaderboards.rank_tables import render, sentences
    from bench.leaderboards.runs import open_runs

    found = [(league, sentences(league)) for league in leagues(open_runs(runs))]
    if json:
        content = [as_json(league, said) for league, said in found]
        typer.echo(json_format.dumps({"rankings": content}, allow_nan=False))
        return
    from rich.console import Console

    from bench.leaderboards.table import plain

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 110)  # a log has no edge to keep to
    for league, said in found:
        console.print(plain(f"{league.task} · judged by {league.judge.get('name')}"), end="\n\n")
        console.print(render(league))
        for sentence in said:
            console.print(plain(sentence), end="\n\n")


def as_json(league: "League", sentences: list[str]) -> dict[str, Any]:
    """Give the ranking of a league, and what was said of each pair, as plain JSON."""
    from bench.leaderboards.games import COLUMNS
    from bench.leaderboards.rank_tables import oriented

    def said(of: "League | Pair") -> dict[str, Any]:
        return {name: asdict(of.estimate(name)) for name in COLUMNS}

    return {
        "task": league.task,
        "judge": league.judge,
        "systems": [asdict(one) for one in league.standings],
        "pairs": [
            {"one": pair.one, "other": pair.other, "scored": pair.scored, **said(pair)}
            for pair in oriented(league)
        ],
        "judged": {
            name: asdict(league.estimate(name)) for name in ("tie", "first_place", "unread")
        },
        "sentences": sentences,
    }
