"""Requests for fuzzing a gateway, as hypothesis strategies: valid, invalid and malicious, down to damaged bytes.

This module must not know how the gateway responds.
"""

import json
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
import schemathesis
from graphql import NameNode, ObjectFieldNode, ValueNode, build_schema, parse, print_ast
from hypothesis import strategies as st
from hypothesis_graphql import Mode, nodes, queries

from gateway.contract import build_openapi
from schema.sdl import build_sdl
from tests.damage import damage
from tests.exchange import Request
from tests.malice import Strategy, build_malice
from tests.paraphrase import Paraphrase

_JSON = (b"Content-Type", b"application/json")
_GRAPHQL = b"/graphql"


def build_attacks(numbers: Sequence[str], keys: Sequence[str | None]) -> dict[str, Strategy]:
    """Return the strategies by kind.

    Args:
        numbers: card numbers from the database, to be put where they do not belong.
        keys: the API keys that callers send; None sends no key.
    """
    words = _build_words(numbers)
    callers = st.sampled_from(keys)
    sound = _openapi_requests(callers) | _graphql_requests(words, callers)
    malice = build_malice(words, callers)
    return {
        "openapi": _openapi_requests(callers),
        "graphql": _graphql_requests(words, callers),
        "malice": malice,
        "wire": st.builds(damage, sound | malice, st.randoms(use_true_random=False)),
    }


def _build_words(numbers: Sequence[str]) -> st.SearchStrategy[str]:
    """Generate strings that programs trip over, card numbers, and arbitrary text."""
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
    # Repeated in a function because hypothesis writes out the values wherever it names a strategy.
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
    """Generate arguments for Federation's `_entities`, valid and invalid."""
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
    """Rewrite a document in an equivalent or broken form and send it in one of the ways GraphQL over HTTP allows."""
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
