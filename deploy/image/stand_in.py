"""Stand-ins for the images of others, where no registry of images is reached: Debian's packages and mongod's wheel.

They have the names, users and commands that the Dockerfile and compose.yaml take. Only a daemon of the check's own may
hold them: elsewhere somebody would take them for what they are called.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from deploy.checks import CheckError
from deploy.image.docker import Docker
from deploy.stand import PYTHON
from deploy.tool import ROOT, WORK, find_installed, require
from tests.node import install_packages

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# A registry of packages may have a certificate that only this machine knows.
_TRUST = tuple(f"ENV {name}={_CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"))
_FIND_MONGOD = "from database.program import get_program; print(get_program().command[-1])"


@dataclass(frozen=True, slots=True)
class _StandIn:
    """What is put into an image.

    Attributes:
        packages: Debian's.
        list_hooks: mmdebstrap's, which change the folder that becomes the image.
        changes: of the image's configuration, as in a Dockerfile.
    """

    packages: Sequence[str]
    list_hooks: Callable[[], list[str]]
    changes: Sequence[str] = ()


def _list_python_hooks() -> list[str]:
    return [f"copy-in {_CERTIFICATES} /etc/ssl/certs"] if Path(_CERTIFICATES).exists() else []


def _list_mongo_hooks() -> list[str]:
    mongod = require(PYTHON, "-c", _FIND_MONGOD).strip()
    try:
        shell = install_packages(ROOT / "deploy/image/mongo")
    except AssertionError as error:
        raise CheckError(str(error)) from error
    return [
        f"copy-in {mongod} {shell.node} /usr/local/bin",
        f"copy-in {shell.path} /opt",
        f'ln -s "/opt/{shell.path.name}/node_modules/.bin/mongosh" "$1/usr/local/bin/mongosh"',
        f'ln -s "/opt/{shell.path.name}/entry.sh" "$1/usr/local/bin/entry.sh"',
        'install -d -o 999 -g 999 "$1/data/db" "$1/data/configdb"',
    ]


def _list_prometheus_hooks() -> list[str]:
    return ['install -d -o 65534 -g 65534 "$1/prometheus"']


# By the name of the image, without what is before it.
_STAND_INS = {
    "python": _StandIn(("python3", "python3-venv"), _list_python_hooks, _TRUST),
    "mongo": _StandIn(("libcurl4", "libssl3", "libstdc++6"), _list_mongo_hooks, ('ENTRYPOINT ["entry.sh"]',)),
    "prometheus": _StandIn(("prometheus",), _list_prometheus_hooks, ('ENTRYPOINT ["prometheus"]',)),
}


def build_stand_in(docker: Docker, image: str) -> bool:
    """Make an image of this name; False where there is nothing to make it of.

    Raises:
        CheckError: Debian's packages or npm's are not reached, or mmdebstrap is not installed.
    """
    stand_in = _STAND_INS.get(image.partition(":")[0].rpartition("/")[2])
    if stand_in is None:
        return False
    program = find_installed("mmdebstrap")
    if program is None:
        raise CheckError("mmdebstrap is missing, which makes images of Debian's packages: apt-get install mmdebstrap")
    packages = f"--include={','.join(stand_in.packages)}"
    hooks = [f"--customize-hook={hook}" for hook in stand_in.list_hooks()]
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    command: tuple[str | Path, ...] = (program, "--quiet", "--variant=minbase", packages, *hooks, suite)
    sources = [path.read_bytes() for path in sorted((ROOT / "deploy/image/mongo").iterdir()) if path.is_file()]
    recipe = sha256(b"".join([repr(command).encode(), *sources])).hexdigest()[:16]
    tar = WORK / f"stand-in-{recipe}.tar"
    if not tar.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        new = tar.with_name(f"new-{tar.name}")
        require(*command, new)
        new.rename(tar)
    changes = [option for change in stand_in.changes for option in ("--change", change)]
    docker.require("import", *changes, tar, image)
    return True
