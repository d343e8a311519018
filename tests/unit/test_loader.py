"""The errors raised for a bulk write that failed in part."""

from typing import Any, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import BulkWriteError

from database.errors import DatabaseRefusedError, DatabaseUnavailableError, GatewayError
from database.index import COLLECTION
from database.loader import Loader


class _Failing:
    """A collection whose server returns the same write error for every write."""

    def __init__(self, code: int) -> None:
        self._code = code

    def insert_many(self, *_: object, **__: object) -> None:
        fault = {"index": 0, "code": self._code, "errmsg": "the server's words"}
        raise BulkWriteError({"writeErrors": [fault], "writeConcernErrors": [], "nInserted": 0})


@pytest.mark.parametrize(
    ("code", "kind"), [(91, DatabaseUnavailableError), (11602, DatabaseUnavailableError), (121, DatabaseRefusedError)]
)
def test_a_write_that_a_stop_broke_off_is_not_called_refused(code: int, kind: type[GatewayError]) -> None:
    """A bulk write broken off by a server shutdown is DatabaseUnavailableError, so that callers retry; else refused."""
    client = cast("MongoClient[dict[str, Any]]", {"shop": {COLLECTION: _Failing(code)}})
    with pytest.raises(kind):
        Loader(client, "shop").load([{"_id": "a"}])
