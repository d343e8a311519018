"""The peer that fetches the window and filters it in Python, as a first Flask version of the four paths would.

Served by `gunicorn -w N benchmarks.peers.flask_app:app`: https://flask.palletsprojects.com/en/stable/deploying/gunicorn/,
and, as most first versions are, by `flask --app benchmarks.peers.flask_app run`, which has one process.
"""

import os
import time
from typing import Any

from flask import Flask
from pymongo import MongoClient

_DAY_MS = 86_400_000

app = Flask(__name__)
# gunicorn imports this module in each worker after the fork, which a client would not survive.
collection = MongoClient[dict[str, Any]](os.environ["MONGO_URI"]).get_default_database()["transaction"]


def fetch_window(days: int) -> list[dict[str, Any]]:
    now = time.time_ns() // 1_000_000
    window = {"date": {"$gte": now - days * _DAY_MS, "$lte": now}}
    return list(collection.find(window).sort([("date", -1), ("_id", -1)]))


@app.get("/transactions/<int:days>")
def list_transactions(days: int) -> list[dict[str, Any]]:
    return fetch_window(days)


@app.get("/transactions/<int:days>/card/<card_type>")
def count_by_card(days: int, card_type: str) -> dict[str, int]:
    wanted = card_type.lower()
    return {"count": len([row for row in fetch_window(days) if row["cardType"].lower() == wanted])}
