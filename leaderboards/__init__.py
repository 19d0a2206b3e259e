"""Tables, pages and gates, made from finished runs."""

from bench.leaderboards.loading import Loaded, load

__all__ = ["Loaded", "load"]
