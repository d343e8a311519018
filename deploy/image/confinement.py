"""Check the image and its containers: their users, what they can write to, and that no secret is exposed."""

import json
from collections.abc import Iterator

from deploy.image.fact import prove
from deploy.image.site import IMAGE, PROJECT, Site

_BUILD_TOOLS = ("cc", "gcc", "g++", "make", "git", "uv", "node", "npm")
_LABELS = ("title", "description", "licenses")
# Runs in the gateway's container and reports what a process sees there.
_LOOK = f"""
import json, os, pathlib, shutil
def is_writable(folder):
    try:
        pathlib.Path(folder, "written").touch()
    except OSError:
        return False
    return True
states = [path.read_text() for path in pathlib.Path("/proc").glob("[0-9]*/status")]
def find(name):
    return sorted({{line.split()[1] for state in states for line in state.splitlines() if line.startswith(name)}})
print(json.dumps({{
    "users": find("Uid:"),
    "capabilities": find("CapEff:"),
    "processes": sum("serve" in path.read_text() or "spawn_main" in path.read_text()
                     for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")),
    "writable": [folder for folder in ("/", "/etc/gateway", "/opt/gateway", "/run/keys") if is_writable(folder)],
    "tools": [name for name in {_BUILD_TOOLS} if shutil.which(name)],
}}))
"""
_READ_SECRETS = """
import json, pathlib
print(json.dumps([path.read_text().strip() for path in pathlib.Path("/secrets").rglob("*") if path.is_file()]))
"""


def check_image(site: Site) -> Iterator[str]:
    """Prove that the image has its labels and needs neither root nor a shell."""
    config = json.loads(site.docker.require("image", "inspect", IMAGE))[0]["Config"]
    labels = {f"org.opencontainers.image.{name}" for name in _LABELS}
    yield from prove(
        (labels <= (config["Labels"] or {}).keys(), f"the image has the labels {', '.join(sorted(labels))}"),
        (config["User"] == "10001:10001", "its user is a number other than 0"),
        (config["Entrypoint"] == ["gateway"], "it starts without a shell"),
        (config["Healthcheck"]["Test"][0] == "CMD", "its health is asked without a shell"),
    )
    seen = json.loads(site.compose("exec", "-T", "gateway", "python", "-c", _LOOK))
    yield from prove(
        (seen["users"] == ["10001"], f"no process is root: {seen['users']}"),
        (seen["capabilities"] == ["0" * 16], f"no process has a capability: {seen['capabilities']}"),
        (not seen["writable"], f"nothing but /tmp can be written to: {seen['writable']}"),
        (not seen["tools"], f"there are no build tools: {seen['tools']}"),
        (seen["processes"] > 2, f"a parent and several workers serve: {seen['processes']} processes"),  # noqa: PLR2004
    )


def check_confinement(site: Site) -> Iterator[str]:
    """Prove that each container has the restrictions that compose.yaml states."""
    for container in site.list_containers():
        host, name = container["HostConfig"], container["Name"]
        addresses = {each["HostIp"] for ports in (host["PortBindings"] or {}).values() for each in ports}
        yield from prove(
            (host["ReadonlyRootfs"], f"{name} has a read-only root"),
            (host["CapDrop"] == ["ALL"], f"{name} has no capability but those that are named"),
            ("no-new-privileges:true" in host["SecurityOpt"], f"{name} cannot gain rights"),
            (addresses <= {"127.0.0.1"}, f"{name} is reached from this machine alone"),
        )


def check_secrets(site: Site) -> Iterator[str]:
    """Prove that no password or key is in the image, its history, a container's description or a log."""
    names = ("database-secrets", "metrics-secret", "owner-secret", "reader-secret")
    mounts = [option for name in names for option in ("--volume", f"{PROJECT}_{name}:/secrets/{name}:ro")]
    # As root, because each secret belongs to a different user.
    command = ("run", "--rm", "--network", "none", "--user", "0", *mounts, "--entrypoint", "python", IMAGE)
    secrets: list[str] = json.loads(site.docker.require(*command, "-c", _READ_SECRETS))
    secrets += [(site.folder / scope).read_text().strip() for scope in ("transactions", "metrics")]
    places = {
        "docker history": site.docker.require("history", "--no-trunc", IMAGE),
        "docker image inspect": site.docker.require("image", "inspect", IMAGE),
        "docker inspect": json.dumps(site.list_containers()),
        "the containers' logs": site.compose("logs", "--no-color"),
    }
    yield from prove((len(secrets) > len(names) and all(secrets), "there are secrets to look for"))
    for place, text in places.items():
        for secret in secrets:
            yield from prove((secret not in text, f"a secret is not in {place}"))
