"""A release to a cluster, with Helm replaced by a stand-in: there is no cluster here."""

import sys
from pathlib import Path

import pytest

from deploy.checks import CheckError
from deploy.release import main, release

DIGEST = f"sha256:{'0' * 64}"
# Records its calls, and responds as the files beside it say.
HELM = """#!{python}
import sys
from pathlib import Path
folder = Path(__file__).parent
command = sys.argv[1]
with (folder / "calls").open("a") as calls:
    print(*sys.argv[1:], file=calls)
answer = folder / command
if command == "history" and not answer.exists():
    sys.exit("Error: release: not found")
if answer.exists():
    print(answer.read_text())
sys.exit("refused" if (folder / f"{{command}}-fails").exists() else 0)
"""


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Helm stand-in that does nothing."""
    program = tmp_path / "helm"
    program.write_text(HELM.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setattr("deploy.release.get_helm", lambda: program)
    return tmp_path


def read_commands(helm: Path) -> list[str]:
    """Return Helm's subcommands, in order of the calls."""
    return [line.split()[0] for line in (helm / "calls").read_text().splitlines()]


def have_revisions(helm: Path) -> None:
    """Make revision 4 the deployed one, after a failed revision."""
    (helm / "history").write_text(
        '[{"revision": 3, "status": "failed"}, {"revision": 4, "status": "deployed"}]',
    )


def test_a_release_that_answers_stays(helm: Path) -> None:
    """A release is installed by digest with the environment's values, tested, and kept if the tests pass."""
    release("qa", "registry.example.com/gateway", DIGEST)
    assert read_commands(helm) == ["history", "upgrade", "test"]
    upgrade = (helm / "calls").read_text().splitlines()[1]
    assert f"--set=image.digest={DIGEST}" in upgrade
    assert "--namespace transactions-qa" in upgrade
    assert "environments/qa.yaml" in upgrade
    assert "--atomic" in upgrade


def test_a_release_that_does_not_answer_is_taken_back(helm: Path) -> None:
    """If the tests fail, the previously deployed revision is restored, and the release fails."""
    have_revisions(helm)
    (helm / "test-fails").touch()
    with pytest.raises(CheckError, match="revision 4 runs again"):
        release("production", "registry.example.com/gateway", DIGEST)
    assert (helm / "calls").read_text().splitlines()[-1].startswith("rollback gateway 4 ")


def test_a_first_release_that_does_not_answer_fails(helm: Path) -> None:
    """If the tests of a first release fail, the release fails and is kept for inspection."""
    (helm / "test-fails").touch()
    with pytest.raises(CheckError, match="first release"):
        release("dev", "registry.example.com/gateway", DIGEST)
    assert read_commands(helm) == ["history", "upgrade", "test"]


def test_a_release_that_does_not_come_up_is_not_asked(helm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Helm itself rolls back a release that does not start: its message is printed, and the exit code is 1."""
    have_revisions(helm)
    (helm / "upgrade-fails").touch()
    assert main(["dev", "registry.example.com/gateway", DIGEST]) == 1
    assert "refused" in capsys.readouterr().err
    assert read_commands(helm) == ["history", "upgrade"]


def test_a_cluster_that_cannot_be_asked_is_no_first_release(helm: Path) -> None:
    """If the history cannot be read, for another reason than that there is none, nothing is released."""
    have_revisions(helm)
    (helm / "history-fails").touch()
    with pytest.raises(CheckError, match="refused"):
        release("dev", "registry.example.com/gateway", DIGEST)
    assert read_commands(helm) == ["history"]


def test_an_unknown_environment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown environment is refused with a message that names the valid ones."""
    assert main(["staging", "registry.example.com/gateway", DIGEST]) == 2
    assert "dev or qa or production" in capsys.readouterr().err
