"""A release to a cluster, with a stand-in for Helm alone: there is no cluster here."""

import sys
from pathlib import Path

import pytest

from deploy.checks import CheckError
from deploy.release import main, release

DIGEST = f"sha256:{'0' * 64}"
# Notes how it is called, and answers as the files beside it say.
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
    """The folder of a Helm that does nothing."""
    program = tmp_path / "helm"
    program.write_text(HELM.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setattr("deploy.release.get_helm", lambda: program)
    return tmp_path


def read_commands(helm: Path) -> list[str]:
    """Give what Helm was called for, in order."""
    return [line.split()[0] for line in (helm / "calls").read_text().splitlines()]


def have_revisions(helm: Path) -> None:
    """Let revision 4 be deployed, after one that failed."""
    (helm / "history").write_text(
        '[{"revision": 3, "status": "failed"}, {"revision": 4, "status": "deployed"}]',
    )


def test_a_release_that_answers_stays(helm: Path) -> None:
    """A release is installed by its digest with the environment's values, asked, and left alone where it answers."""
    release("qa", "registry.example.com/gateway", DIGEST)
    assert read_commands(helm) == ["history", "upgrade", "test"]
    upgrade = (helm / "calls").read_text().splitlines()[1]
    assert f"--set=image.digest={DIGEST}" in upgrade
    assert "--namespace transactions-qa" in upgrade
    assert "environments/qa.yaml" in upgrade
    assert "--atomic" in upgrade


def test_a_release_that_does_not_answer_is_taken_back(helm: Path) -> None:
    """Where the questions fail, the revision that was deployed before is put back, and the release fails."""
    have_revisions(helm)
    (helm / "test-fails").touch()
    with pytest.raises(CheckError, match="revision 4 runs again"):
        release("production", "registry.example.com/gateway", DIGEST)
    assert (helm / "calls").read_text().splitlines()[-1].startswith("rollback gateway 4 ")


def test_a_first_release_that_does_not_answer_fails(helm: Path) -> None:
    """Where nothing was deployed before, a release that does not answer fails and is left to be looked at."""
    (helm / "test-fails").touch()
    with pytest.raises(CheckError, match="first release"):
        release("dev", "registry.example.com/gateway", DIGEST)
    assert read_commands(helm) == ["history", "upgrade", "test"]


def test_a_release_that_does_not_come_up_is_not_asked(helm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Helm itself takes back what does not come up: its words are told, and the exit code is 1."""
    have_revisions(helm)
    (helm / "upgrade-fails").touch()
    assert main(["dev", "registry.example.com/gateway", DIGEST]) == 1
    assert "refused" in capsys.readouterr().err
    assert read_commands(helm) == ["history", "upgrade"]


def test_a_cluster_that_cannot_be_asked_is_no_first_release(helm: Path) -> None:
    """Where the history cannot be read for another reason than that there is none, nothing is released."""
    have_revisions(helm)
    (helm / "history-fails").touch()
    with pytest.raises(CheckError, match="refused"):
        release("dev", "registry.example.com/gateway", DIGEST)
    assert read_commands(helm) == ["history"]


def test_an_unknown_environment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no environment is not released to; the message names those that are."""
    assert main(["staging", "registry.example.com/gateway", DIGEST]) == 2
    assert "dev or qa or production" in capsys.readouterr().err
