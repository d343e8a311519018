"""How Lighthouse's report becomes figures, and when the goals are met."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pages import Judged, build_grid
from tests.lighthouse import CATEGORIES, Visit, read_report

scores = st.fixed_dictionaries({name: st.integers(0, 100) for name in CATEGORIES})
visits = st.builds(Visit, scores, st.integers(0, 500_000), st.integers(1, 99), st.just([]), st.just("13"), st.just("C"))


@given(scores, st.lists(st.integers(0, 100_000)))
def test_a_report_tells_scores_bytes_and_faults(found: dict[str, int], sizes: list[int]) -> None:
    """Scores are out of 100, bytes are those of all responses, and an audit without a score is no fault."""
    report = {
        "categories": {name: {"score": score / 100} for name, score in found.items()},
        "audits": {
            "network-requests": {
                "title": "",
                "score": None,
                "details": {"items": [{"transferSize": n} for n in sizes]},
            },
            "image-alt": {"title": "Images have no text", "score": 0},
            "list": {"title": "Lists are made well", "score": 1},
        },
        "lighthouseVersion": "13.5.0",
        "environment": {"hostUserAgent": "Chrome"},
    }
    visit = read_report(report)
    assert visit == Visit(found, sum(sizes), len(sizes), ["Images have no text"], "13.5.0", "Chrome")


@given(st.lists(visits, min_size=1, max_size=5))
def test_only_our_page_is_held_to_goals(rounds: list[Visit]) -> None:
    """The explorer needs medians of 95 or more and loads of at most 250 KB; other pages are only reported."""
    ours, theirs = Judged("explorer", "mobile", rounds), Judged("GraphiQL", "mobile", rounds)
    is_light = all(visit.size <= 250_000 for visit in rounds)
    most = len(rounds) // 2
    is_good = all(sum(visit.scores[name] < 95 for visit in rounds) <= most for name in CATEGORIES)
    assert theirs.holds is None
    if ours.holds:
        assert is_light
        assert is_good
    lines = build_grid([ours, theirs]).lines
    assert [line[-1] for line in lines] == ["yes" if ours.holds else "no", ""]


@pytest.mark.parametrize(("score", "size", "holds"), [(95, 250_000, True), (94, 1, False), (100, 250_001, False)])
def test_a_goal_is_kept_at_its_bound(score: int, size: int, *, holds: bool) -> None:
    """Exactly 95 and 250 KB are good enough, and nothing beyond."""
    visit = Visit(dict.fromkeys(CATEGORIES, score), size, 9, [], "13.5.0", "Chrome")
    assert Judged("explorer", "desktop", [visit]).holds == holds
