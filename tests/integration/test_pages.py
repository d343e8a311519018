"""The pages as served: their paths, their policies, and their files as the build made them."""

from pathlib import Path

import brotli  # type: ignore[import-untyped]  # brotli ships without types
import httpx
import pytest

from database.environment import DatabaseEnvironment
from gateway import pages
from gateway.app import create_app
from gateway.settings import load_settings
from tests.conftest import ServedDatabase

STATIC = Path(pages.__file__).parent / "static"
PAGES = {"/": "explorer", "/graphql": "graphiql", "/docs": "docs"}
# The headers of a browser that loads a page, and its files over plain HTTP from a host other than loopback.
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate"}


def get(served: ServedDatabase, path: str, **headers: str) -> httpx.Response:
    return httpx.get(served.gateway.url + path, headers={**BROWSER, **headers})


def read_policy(answer: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize(("path", "folder"), PAGES.items())
def test_a_page_is_what_was_built(served: ServedDatabase, path: str, folder: str) -> None:
    """A browser gets the built page at its path, with or without the query parameters that the page keeps there."""
    built = (STATIC / folder / "index.html").read_text()
    answer = get(served, path)
    assert (answer.status_code, answer.text) == (200, built)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    if path != "/graphql":
        assert get(served, f"{path}?days=90&card=Visa", Accept="application/json").text == built


@pytest.mark.parametrize("path", PAGES)
def test_head_of_a_page_says_what_get_does(served: ServedDatabase, path: str) -> None:
    """HEAD has the headers of GET and no body."""
    head = httpx.head(served.gateway.url + path, headers=BROWSER)
    changing = {"date", "x-request-id"}
    given = [
        {name: value for name, value in each.headers.items() if name not in changing}
        for each in (head, get(served, path))
    ]
    assert given[0] == given[1]
    assert head.content == b""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("prefix", ["", "W/"])
def test_a_page_that_has_not_changed_is_not_sent_again(served: ServedDatabase, path: str, prefix: str) -> None:
    """A browser revalidates a page each time, by an ETag that depends only on its content."""
    first = get(served, path)
    assert first.headers["cache-control"] == "no-cache"
    tag = prefix + first.headers["etag"].removeprefix("W/")
    again = get(served, path, **{"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"].removeprefix("W/") == first.headers["etag"].removeprefix("W/")
    assert get(served, path, **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_do_little(served: ServedDatabase, path: str) -> None:
    """A page runs only scripts of its own host, none inline, submits no form, and is in no frame."""
    answer = get(served, path)
    policy = read_policy(answer)
    alone = ("default-src", "base-uri", "form-action", "frame-ancestors")
    assert {policy[name] for name in alone} == {"'none'"}
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    # Monaco inserts styles; no other page may.
    assert ("unsafe-inline" in policy["style-src"]) == (path == "/graphql")
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_is_read_alone(served: ServedDatabase, path: str) -> None:
    """Methods other than GET and HEAD get 405."""
    answer = httpx.post(served.gateway.url + path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_that_was_not_built_is_explained(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway installed without its pages explains how to build them."""
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    app = create_app(load_settings({}), DatabaseEnvironment(uri="mongodb://127.0.0.1/transactions"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert "`pip install .`" in answer.text


@pytest.mark.parametrize("folder", PAGES.values())
def test_each_page_names_the_software_in_it(served: ServedDatabase, folder: str) -> None:
    """The licences of the software in a page are readable beside it, in every browser."""
    answer = get(served, f"/static/{folder}/THIRD_PARTY.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "MIT" in answer.text or "Apache-2.0" in answer.text


def test_every_large_script_and_style_was_compressed() -> None:
    """Each script and style sheet larger than a packet has a Brotli form beside it with the same content."""
    files = [
        path for path in STATIC.glob("*/assets/*") if path.suffix in {".js", ".css"} and path.stat().st_size > 1_000
    ]
    assert files
    for path in files:
        assert brotli.decompress(path.with_name(f"{path.name}.br").read_bytes()) == path.read_bytes()


def test_a_file_is_sent_as_it_was_compressed(served: ServedDatabase) -> None:
    """A client that accepts Brotli gets those bytes, with an ETag and ranges of their own, cacheable for good."""
    path = max(STATIC.glob("docs/assets/*.js"), key=lambda each: each.stat().st_size)
    compressed = path.with_name(f"{path.name}.br").read_bytes()
    url = f"{served.gateway.url}/static/docs/assets/{path.name}"
    accepted = {"Accept-Encoding": "gzip, deflate, br, zstd"}
    with httpx.stream("GET", url, headers=accepted) as answer:
        assert b"".join(answer.iter_raw()) == compressed
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    plain = httpx.head(url, headers={"Accept-Encoding": "identity"})
    assert plain.headers["etag"] != answer.headers["etag"]
    assert "content-encoding" not in plain.headers
    again = httpx.get(url, headers={**accepted, "If-None-Match": answer.headers["etag"]})
    assert (again.status_code, "content-encoding" in again.headers) == (304, False)
    with httpx.stream("GET", url, headers={**accepted, "Range": "bytes=10-19"}) as part:
        assert b"".join(part.iter_raw()) == compressed[10:20]
    assert (part.status_code, part.headers["content-encoding"]) == (206, "br")


@pytest.mark.parametrize("accepted", ["gzip", "br;q=0, gzip", "gzip, br;q=0.1", "zstd"])
def test_who_does_not_prefer_brotli_gets_another_form(served: ServedDatabase, accepted: str) -> None:
    """Clients that do not prefer Brotli get the file in another coding."""
    path = next(STATIC.glob("docs/assets/*.js"))
    answer = get(served, f"/static/docs/assets/{path.name}", **{"Accept-Encoding": accepted})
    assert answer.headers["content-encoding"] != "br"


def test_a_compressed_form_has_no_address(served: ServedDatabase) -> None:
    """The compressed form of a file cannot be requested by itself, as its media type would differ."""
    path = next(STATIC.glob("docs/assets/*.js.br"))
    assert get(served, f"/static/docs/assets/{path.name}").status_code == 404


def test_a_path_longer_than_any_files_is_looked_up_nowhere(tmp_path: Path) -> None:
    """A file is found by a path of up to 255 characters; a longer path is not split into parts and looked up."""
    files = pages.PageFiles(directory=tmp_path)
    for length in (255, 256):
        path = "a/" * 20 + "b" * (length - 40)
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
        assert (files.lookup_path(path)[1] is not None) == (length == 255)
