"""Malicious requests as hypothesis strategies: methods, targets, headers and bodies that programs trip over."""

import json
import string
from functools import partial
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.exchange import Request

Strategy = st.SearchStrategy[Request]


def build_malice(words: st.SearchStrategy[str], callers: st.SearchStrategy[str | None]) -> Strategy:
    """Return requests with any method, target, headers and body, built from odd words and sent by the given callers."""
    methods = st.sampled_from(
        [
            *([b"GET"] * 8),
            *([b"POST"] * 4),
            b"HEAD",
            b"OPTIONS",
            b"PUT",
            b"PATCH",
            b"DELETE",
            b"TRACE",
            b"get",
            b"PURGE",
        ]
    )
    headers = st.lists(_headers(words), max_size=4).map(tuple)
    bodies = st.none() | _bodies(words)
    return st.builds(partial(Request, "malice"), methods, _targets(words), headers, bodies, callers)


def _targets(words: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    known = st.sampled_from(
        ["transactions", "card", "country", "amount", "graphql", "health", "live", "errors", "static"]
    )
    others = st.sampled_from(["metrics", "openapi.json", "90", "Visa", "graphiql", "index.html", "docs", "favicon.ico"])
    encoded = words.map(lambda word: quote(word, safe=""))
    # Unencoded, without the characters that would end the request line: a client need not percent-encode.
    raw = words.map(lambda word: word.replace("\r", "").replace("\n", "").replace(" ", ""))
    sound = st.lists(known | known | others | encoded, max_size=6)
    segments = st.one_of(sound, sound, st.lists(known | raw, max_size=6)).map("/".join)
    starts = st.sampled_from(["/", "/", "/", "/transactions/", "/transactions/90/", "/transactions/90/card/", "//", ""])
    parameters = st.sampled_from(
        ["card", "country", "minAmount", "maxAmount", "limit", "after", "query", "variables", "extensions", "x"]
    )
    pairs = st.lists(st.tuples(parameters | words, words), max_size=4).map(urlencode)
    near = st.sampled_from(
        [
            *(
                "/transactions/{}",
                "/transactions/90/country/{}",
                "/transactions/90/card/{}",
                "/transactions/9/amount/0/{}",
            ),
            *("/transactions/36500?limit={}", "/graphql?query={}", "/errors/{}", "/static/{}"),
        ]
    )
    near, far = st.builds(str.format, near, encoded), st.builds("{}{}".format, starts, segments)
    text = st.builds("{}{}".format, near | far, st.just("") | pairs.map("?{}".format))
    return text.map(lambda target: target.encode()[:60_000] or b"*")


def _headers(words: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[bytes, bytes]]:
    def write(value: str) -> bytes:
        return value.encode().translate(None, b"\r\n\0")

    traces = st.sampled_from(
        [
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-0000000000000000-00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ]
    )
    accepts = st.sampled_from(
        [
            "*/*",
            "text/html",
            "text/csv",
            "application/x-ndjson",
            "application/json;q=0",
            "a/b;q=x",
            ",,;",
            "text/*;q=nan",
        ]
    )
    types = st.sampled_from(
        ["application/json", "application/json; charset=utf-16", "text/plain", "multipart/form-data", "a/b"]
    )
    hosts = st.sampled_from(["localhost", "127.0.0.1", "example.com", "127.0.0.1:99999", "[::1", "localhost\t", "a@b"])
    origins = st.sampled_from(["null", "http://evil.example", "http://[", "https://localhost", "http://127.0.0.1"])
    credentials = st.sampled_from(
        ["Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer txgw_00000000_" + "0" * 64]
    )
    lengths = st.sampled_from(["0", "1", "-1", "+1", "1e3", "99999999999999999999", "0x10", "1, 1"])
    by_name: dict[str, st.SearchStrategy[str]] = {
        "Accept": accepts | words,
        "Content-Type": types | words,
        "traceparent": traces | words,
        "Origin": origins | words,
        "Host": hosts | words,
        "Authorization": credentials | words,
        "X-API-Key": credentials | words,
        "Content-Length": lengths,
        "Transfer-Encoding": st.sampled_from(["chunked", "identity", "gzip, chunked", "xchunked"]),
        "Sec-Fetch-Site": st.sampled_from(["cross-site", "same-origin", "none"]) | words,
        "X-Forwarded-For": st.just("127.0.0.1") | words,
        "X-Forwarded-Proto": st.sampled_from(["https", "javascript"]),
        "Expect": st.just("100-continue"),
        "Upgrade": st.sampled_from(["websocket", "h2c"]),
        "Range": st.just("bytes=0-1"),
        "If-None-Match": st.just("*"),
        "Access-Control-Request-Method": st.just("POST"),
        "Cookie": words,
        "X-Request-Id": words,
    }
    named = st.one_of(*(st.tuples(st.just(name.encode()), values.map(write)) for name, values in by_name.items()))
    return named | st.tuples(st.text(string.ascii_letters + "-", min_size=1).map(str.encode), words.map(write))


def _bodies(words: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=8,
    )
    names = ["query", "variables", "operationName", "extensions", "documentId"]
    requests = st.dictionaries(st.sampled_from(names) | words, values, max_size=4)
    odd = st.sampled_from(
        [
            *(b"", b"{", b"[]", b"null", b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b'{"query":"{__typename}"', b"\0"),
            *(b'{"query":NaN}', b'{"query":1e999}', b'{"query":"\\ud800"}', b'{"query":"a","query":"b"}'),
            *(b'{"query":"{ transaction(id: \\"\\ud800\\") { id } }"}', b"query={__typename}"),
        ]
    )
    # Each: a prefix, a repeated part, its repetitions, a suffix.
    deep = st.sampled_from(
        [
            (b"", b"[", 60_000, b""),
            (b"", b'{"a":', 20_000, b""),
            (b'{"query":', b"1", 90_000, b"}"),
            (b'{"query":"', b"{a", 20_000, b'"}'),
            (b'{"query":"', b"x", 200_000, b'"}'),
            (b'{"query":"{__typename}","variables":', b'{"a":', 500, b"1" + b"}" * 501),
            (b'{"query":"{__typename}","variables":{"a":', b"[", 500, b"]" * 500 + b"}}"),
        ]
    ).map(lambda parts: parts[0] + parts[1] * parts[2] + parts[3])
    return odd | deep | st.binary(max_size=50) | (requests | values).map(json.dumps).map(str.encode)
