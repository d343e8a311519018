"""What the seeding command accepts, checked before any server is contacted."""

import pytest
from click.testing import CliRunner

from seeding.seed_command import seed


@pytest.mark.parametrize(
    ("count", "fault"),
    [
        ("0", "'COUNT': too few: at least 1 transaction."),
        ("-5", "'COUNT': too few: at least 1 transaction."),
        ("many", "'many' is not a whole number, such as 20000."),
        ("1.5", "'1.5' is not a whole number, such as 20000."),
        ("-1.5", "'COUNT': too few: at least 1 transaction."),
        ("1e6", "'1e6' is not a whole number, such as 20000."),
        ("٣", "'٣' is not a whole number, such as 20000."),
        ("", "'' is not a whole number, such as 20000."),
        ("1" * 5000, f"'{'1' * 40}' is not a whole number, such as 20000."),
    ],
)
def test_a_bad_count_is_explained(count: str, fault: str) -> None:
    """A count that is not a positive whole number is invalid usage, and the message says what is wrong."""
    result = CliRunner().invoke(seed, [count])

    assert result.exit_code == 2
    assert fault in result.output


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--sede", "7"], "No such option '--sede'"),
        (["--seed", "seven"], "'seven' is not a valid integer"),
        (["--workers", "0"], "0 is not in the range"),
        (["--until", "yesterday"], "'yesterday' is no time in ISO 8601"),
        (["--until", "9999-01-01"], "9999-01-01 is in the future"),
        (["--replace"], "nobody is at a terminal to be asked: add --yes"),
    ],
)
def test_a_bad_option_is_explained(options: list[str], fault: str) -> None:
    """An invalid option is invalid usage, and the message says which and why."""
    result = CliRunner().invoke(seed, ["10", *options])

    assert result.exit_code == 2
    assert fault in result.output


def test_a_missing_count_is_explained() -> None:
    """Without a count the command reports the missing argument."""
    result = CliRunner().invoke(seed, [])

    assert result.exit_code == 2
    assert "Missing argument 'COUNT'" in result.output


def test_help_says_what_a_seed_means() -> None:
    """The help says on what identical documents depend."""
    help_text = " ".join(CliRunner().invoke(seed, ["--help"]).output.split())

    assert "The same --seed gives the same transactions on every machine and for any number of workers" in help_text
    assert "A new release may bring another Faker" in help_text
