"""Settings are read once, checked all together, and documented."""

from pathlib import Path

import pytest

from database.errors import ConfigurationError
from gateway.settings import SETTINGS, Setting, load_settings

ROOT = Path(__file__).parents[2]


def test_defaults_need_no_environment() -> None:
    """Without variables the gateway listens on loopback, port 5000."""
    settings = load_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.workers >= 1


def test_every_variable_is_read() -> None:
    """A value at each setting's upper bound arrives in the settings."""
    settings = load_settings({setting.name: str(setting.most) for setting in SETTINGS})
    arrived = {
        settings.database_timeout_ms,
        settings.max_body_bytes,
        settings.limits.tokens,
        settings.limits.depth,
        settings.limits.aliases,
    }
    assert arrived == {setting.most for setting in SETTINGS}


def test_every_fault_is_reported_at_once() -> None:
    """One error names each variable at fault, what is accepted, and the near name of a misspelt one."""
    environ = {"GATEWAY_MAX_DEPTH": "deep", "GATEWAY_MAX_TOKENS": "-1", "GATEWAY_MAX_ALIASE": "3"}
    with pytest.raises(ConfigurationError) as raised:
        load_settings(environ)
    for part in ("GATEWAY_MAX_DEPTH is 'deep'", "GATEWAY_MAX_TOKENS is '-1'", "did you mean GATEWAY_MAX_ALIASES?"):
        assert part in str(raised.value)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_setting_is_documented(setting: Setting) -> None:
    """docs/settings.md has a row with each setting's name, default and bounds."""
    row = f"| `{setting.name}` | {setting.default} | {setting.least} to {setting.most} | {setting.meaning} |"
    assert row in (ROOT / "docs/settings.md").read_text().splitlines()


def test_nothing_else_is_documented() -> None:
    """docs/settings.md names no GATEWAY_ variable that does not exist."""
    text = (ROOT / "docs/settings.md").read_text()
    documented = {word.strip("`") for word in text.split() if word.startswith("`GATEWAY_")}
    assert documented == {setting.name for setting in SETTINGS}
