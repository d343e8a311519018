"""docs/cost.md matches what deploy/cost.py computes."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cost import Prices, main, read_prices, write_tables

PAGE = (Path(__file__).parents[2] / "docs/cost.md").read_text()


@pytest.mark.parametrize("line", sorted({line for line in write_tables(Prices()) if line}))
def test_the_page_has_what_is_computed(line: str) -> None:
    """Each line of the tables and sums is in docs/cost.md."""
    assert line in PAGE.splitlines()


def test_each_price_is_named_on_the_page() -> None:
    """docs/cost.md lists each price and assumption with its value."""
    for field in fields(Prices):
        value = f"{field.default:.10f}".rstrip("0").rstrip(".")
        assert f"| `{field.name}` | {value} |" in PAGE, field.name


@given(st.floats(0.01, 1_000), st.floats(1, 10_000))
def test_both_cost_the_same_where_they_meet(api_million: float, month: float) -> None:
    """At the break-even number of requests, if there is one, Lambda costs as much as EKS."""
    prices = replace(Prices(), api_million=api_million)
    meeting = prices.find_meeting(month)
    function = sum(prices.lambda_parts.values())
    if function > prices.eks_million:
        assert meeting * function == pytest.approx(month + meeting * prices.eks_million)
    else:
        assert meeting == float("inf")


def test_prices_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    """A price on the command line replaces its default, and a mistake is named with the expected form."""
    assert read_prices(["node_hour=0.09"]) == replace(Prices(), node_hour=0.09)
    assert main(["node_hour=0"]) == 0
    assert "| nodes | 0 |" in capsys.readouterr().out
    for slip in ("node_hours=1", "node_hour=-1", "node_hour"):
        assert main([slip]) == 2
        assert f"{slip}: give NAME=VALUE" in capsys.readouterr().err
