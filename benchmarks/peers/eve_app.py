"""Eve, which is configured rather than programmed (https://docs.python-eve.org/en/stable/config.html).

Served by `gunicorn -w N benchmarks.peers.eve_app:app`. Links and entity tags, which cost time for each document, are
off. A page may hold a million documents, so that one answer is the whole list.
"""

import os

from eve import Eve  # type: ignore[import-untyped] # it publishes no types

_TEXT = {"type": "string"}

app = Eve(
    settings={
        "MONGO_URI": os.environ["MONGO_URI"],
        "DOMAIN": {
            "transaction": {
                "item_lookup": False,
                "schema": {
                    "_id": _TEXT,
                    "date": {"type": "integer"},
                    "currency": _TEXT,
                    "amount": {"type": "float"},
                    "vendor": _TEXT,
                    "address": _TEXT,
                    "cardType": _TEXT,
                    "cardNumber": _TEXT,
                    "countryOrigin": _TEXT,
                },
            }
        },
        "HATEOAS": False,
        "IF_MATCH": False,
        "PAGINATION_LIMIT": 1_000_000,
        "RENDERERS": ["eve.render.JSONRenderer"],
    }
)
