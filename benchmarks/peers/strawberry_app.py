"""FastAPI and Strawberry as their documentation shows: annotated models, a GraphQL router, the driver's own API.

https://fastapi.tiangolo.com/tutorial/response-model/, https://strawberry.rocks/docs/integrations/fastapi and
https://www.mongodb.com/docs/languages/python/pymongo-driver/current/ (AsyncMongoClient).
Served by `uvicorn --workers N benchmarks.peers.strawberry_app:app`, on uvloop and httptools, which are installed.
"""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import strawberry
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from strawberry.fastapi import GraphQLRouter

_DAY_MS = 86_400_000
CASE_INSENSITIVE = {"locale": "en", "strength": 2}

Collection = AsyncCollection[dict[str, Any]]


def build_window(days: int) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000
    return {"date": {"$gte": now - days * _DAY_MS, "$lte": now}}


async def find_window(collection: Collection, days: int, limit: int = 0) -> list[dict[str, Any]]:
    return await collection.find(build_window(days)).sort([("date", -1), ("_id", -1)]).limit(limit).to_list()


@strawberry.type
class Transaction:
    id: strawberry.ID
    date: datetime
    currency: str
    amount: Decimal
    vendor: str
    address: str
    card_type: str
    card_number: str
    country_origin: str


@strawberry.type
class Query:
    @strawberry.field
    async def transactions(self, info: strawberry.Info, days: int, first: int) -> list[Transaction]:
        rows = await find_window(info.context["request"].app.state.collection, days, first)
        return [
            Transaction(
                id=strawberry.ID(row["_id"]),
                date=datetime.fromtimestamp(row["date"] / 1000, UTC),
                currency=row["currency"],
                amount=Decimal(str(row["amount"])),
                vendor=row["vendor"],
                address=row["address"],
                card_type=row["cardType"],
                card_number=row["cardNumber"],
                country_origin=row["countryOrigin"],
            )
            for row in rows
        ]


class TransactionModel(BaseModel):
    id: str = Field(alias="_id")
    date: int
    currency: str
    amount: float
    vendor: str
    address: str
    cardType: str  # noqa: N815 - the document's own key
    cardNumber: str  # noqa: N815
    countryOrigin: str  # noqa: N815


class Count(BaseModel):
    count: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncMongoClient[dict[str, Any]](os.environ["MONGO_URI"]) as client:
        app.state.collection = client.get_default_database()["transaction"]
        yield


app = FastAPI(lifespan=lifespan)
app.include_router(GraphQLRouter(strawberry.Schema(Query)), prefix="/graphql")


@app.get("/transactions/{days}", response_model=list[TransactionModel])
async def list_transactions(request: Request, days: int) -> list[dict[str, Any]]:
    return await find_window(request.app.state.collection, days)


@app.get("/transactions/{days}/card/{card_type}", response_model=Count)
async def count_by_card(request: Request, days: int, card_type: str) -> dict[str, int]:
    wanted = build_window(days) | {"cardType": card_type}
    collection: Collection = request.app.state.collection
    return {"count": await collection.count_documents(wanted, collation=CASE_INSENSITIVE)}
