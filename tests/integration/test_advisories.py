"""The dependency audit finds known advisories, and reports when it could not reach the service."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.advisories import Audit, audit_python, judge
from tests.waiting import find_free_port

LOCK = "jinja2==2.4.1 --hash=sha256:" + "0" * 64 + "\norjson==3.13.0 --hash=sha256:" + "1" * 64 + "\n"
# In the format of OSV's responses (https://google.github.io/osv.dev/post-v1-query/).
ADVISORY = {
    "id": "PYSEC-2014-8",
    "summary": "FileSystemBytecodeCache does not properly create temporary directories.",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.7.2"}]}],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = asked["package"]["name"] == "jinja2"
        body = json.dumps({"vulns": [ADVISORY]} if known else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text(LOCK)
    return path


def test_a_known_advisory_fails_the_audit(service: str, lock: Path) -> None:
    """A locked package with an advisory is named with the version that fixes it, and the audit fails."""
    audit = audit_python([lock], service)
    assert audit.advisories == ["jinja2 2.4.1: PYSEC-2014-8, mended in ['2.7.2']"]
    assert judge([audit], is_required=False) == ("Python: " + audit.advisories[0], False)


def test_an_audit_that_could_not_ask_says_so(lock: Path) -> None:
    """If the advisory service is unreachable, nothing counts as audited; that fails only where an audit is required."""
    audit = audit_python([lock], f"http://127.0.0.1:{find_free_port()}/v1/query")
    assert audit == Audit("Python", None)
    told = "Python: the advisories could not be reached; nothing was audited."
    assert judge([audit], is_required=False) == (told, True)
    assert judge([audit], is_required=True) == (told, False)
