"""Requests that a gateway may meet, as hypothesis strategies: sound ones, wrong ones, and malice down to the bytes.

It must not know what is answered.
"""

import json
import random
import string
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import schemathesis
from graphql import NameNode, ObjectFieldNode, ValueNode, build_schema, parse, print_ast
from hypothesis import strategies as st
from hypothesis_graphql import Mode, nodes, queries

from gateway.contract import build_openapi
from schema.sdl import build_sdl
from tests.damage import damage
from tests.exchange import Request
from tests.paraphrase import Paraphrase

Strategy = st.SearchStrategy[Request]
_JSON = (b"Content-Type", b"application/json")
_GRAPHQL = b"/graphql"


def build_attacks(numbers: Sequence[str], keys: Sequence[str | None]) -> dict[str, Strategy]:
    """Give strategies by their kind.

    Args:
        numbers: card numbers of the database, to be put where they do not belong.
        keys: what the callers send, None for nothing.
    """
    words = _build_words(numbers)
    callers = st.sampled_from(keys)
    sound = _openapi_requests(callers) | _graphql_requests(words, callers)
    malice = _malicious_requests(words, callers)
    return {
        "openapi": _openapi_requests(callers),
        "graphql": _graphql_requests(words, callers),
        "malice": malice,
        "wire": st.builds(damage, sound | malice, st.randoms(use_true_random=False)),
    }


def _build_words(numbers: Sequence[str]) -> st.SearchStrategy[str]:
    """Words that programs trip over, card numbers, and any text."""
    number = st.sampled_from(numbers)
    odd = st.sampled_from(
        [
            *(
                "",
                " ",
                ".",
                "..",
                "../..",
                "/",
                "//",
                "\0",
                "%",
                "%00",
                "%2e%2e%2f",
                "%ff",
                "\\",
                "'",
                '"',
                "`",
                "\r\n",
                "\t",
            ),
            *("$ne", "$where", '{"$gt": ""}', "[]", "{}", "null", "undefined", "NaN", "Infinity", "-Infinity", "1e400"),
            *("-1", "0", "1", "90", "36500", "36501", "0x10", "1_000", "٩٠", "1.5", "1e2", "+1", "00"),
            *("US", "usa", "Visa", "visa", "🏦", "ﬀ", "İ", "\u2028", "\ufeff", "\u202e", "e\u0301"),
            *("<script>alert(1)</script>", "=1+1", "${jndi:ldap://x}", "{{7*7}}", "; ls", "' OR '1'='1", "\x1b[31m"),
        ]
    )
    spaced = number.map(lambda digits: " ".join(digits[i : i + 4] for i in range(0, len(digits), 4)))
    # Repeated in a function: hypothesis would write long values out wherever it names a strategy.
    long = st.sampled_from(["9", "x", "🏦"]).map(lambda text: text * 5_000)
    return odd | number | spaced | long | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def _openapi_requests(callers: st.SearchStrategy[str | None]) -> Strategy:
    schema = schemathesis.openapi.from_dict(json.loads(build_openapi()))
    cases = st.one_of(*(schema.as_strategy(mode) for mode in schemathesis.GenerationMode))
    return st.builds(_build_from_case, cases, callers)


def _build_from_case(case: Any, key: str | None) -> Request:
    sent = case.as_transport_kwargs(base_url="http://gateway.example")
    names = {
        "method": "method",
        "url": "url",
        "params": "params",
        "headers": "headers",
        "json": "json",
        "data": "content",
    }
    request = httpx.Request(**{name: sent[given] for given, name in names.items() if given in sent})
    own = {
        b"host",
        b"content-length",
        b"connection",
        b"x-schemathesis-testcaseid",
        b"transfer-encoding",
        b"authorization",
    }
    return Request(
        "openapi",
        request.method.encode(),
        request.url.raw_path,
        tuple(header for header in request.headers.raw if header[0].lower() not in own),
        request.read() or None,
        key,
        case,
    )


def _graphql_requests(words: st.SearchStrategy[str], callers: st.SearchStrategy[str | None]) -> Strategy:
    decimals = (st.decimals(allow_nan=False, allow_infinity=False).map(str) | words).map(nodes.String)
    schema = build_schema(build_sdl(), assume_valid_sdl=True)
    scalars = {"Decimal": decimals, "_Any": _build_representations(words)}
    documents = st.one_of(*(queries(schema, custom_scalars=scalars, mode=mode) for mode in Mode))
    return st.builds(_build_graphql, documents, words, callers, st.randoms(use_true_random=False))


def _build_representations(words: st.SearchStrategy[str]) -> st.SearchStrategy[ValueNode]:
    """Give what Federation's `_entities` is asked by, and what it is not."""
    leaves: st.SearchStrategy[ValueNode] = (words | st.just("Transaction")).map(nodes.String) | st.integers().map(
        nodes.Int
    )
    keys = st.sampled_from(["__typename", "id", "other"])
    fields = st.dictionaries(keys, leaves, max_size=3).map(dict.items)
    objects = fields.map(lambda pairs: nodes.Object([_build_field(*pair) for pair in pairs]))
    return objects | leaves | st.builds(nodes.List, st.lists(leaves, max_size=2))


def _build_field(name: str, value: ValueNode) -> ObjectFieldNode:
    return ObjectFieldNode(name=NameNode(value=name), value=value)


def _build_graphql(text: str, word: str, key: str | None, chance: random.Random) -> Request:
    """Give a document another form, and send it in one of the ways that GraphQL over HTTP has."""
    paraphrase = Paraphrase(chance, word)
    text = print_ast(paraphrase.rewrite(parse(text)))
    if chance.random() < 0.1:
        text = _cut_text(text, word, chance)
    parameters: dict[str, Any] = {"query": text, "variables": paraphrase.variables}
    if chance.random() < 0.2:
        parameters["operationName"] = chance.choice(["Q", "", None, word, 1])
    if chance.random() < 0.1:
        parameters[chance.choice(["variables", "extensions", "documentId"])] = chance.choice([None, word, [], {}, 7])
    accept = chance.choice(["application/json", "application/graphql-response+json", "*/*", "text/html, */*;q=0.1"])
    headers = ((b"Accept", accept.encode()),)
    if chance.random() < 0.4:
        pairs = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        return Request("graphql", b"GET", _GRAPHQL + b"?" + urlencode(pairs).encode(), headers, None, key)
    return Request("graphql", b"POST", _GRAPHQL, (*headers, _JSON), json.dumps(parameters).encode(), key)


def _cut_text(text: str, word: str, chance: random.Random) -> str:
    at, end = chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)
    return text[:at] + word + text[end:]


def _malicious_requests(words: st.SearchStrategy[str], callers: st.SearchStrategy[str | None]) -> Strategy:
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
    # As they are, but for what would end the line: a client need not encode.
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
    # What comes first, what is repeated, how often, and what comes last.
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
