"""The part of the table of problems (gateway/problems.py) that the gateway or the database causes, not the caller."""

from http import HTTPStatus

from gateway.problem import Problem

_LATER = "Wait as long as `Retry-After` says and send the same request again; nothing was changed by this one."

SERVICE_PROBLEMS = (
    Problem(
        "INTERNAL_ERROR",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The gateway failed",
        "A fault of the gateway. The log has its type and place under the request id; the answer does not.",
        "Report the request id.",
    ),
    Problem(
        "MALFORMED_DOCUMENT",
        HTTPStatus.BAD_GATEWAY,
        "A document in the database is malformed",
        "A selected field of a document in the database is missing, or has a value that the schema cannot express.",
        "Correct the document that `detail` names, or do not select the field.",
    ),
    Problem(
        "DATABASE_UNAVAILABLE",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database is away",
        "No database server answers, or the connection to it was lost. The gateway recovers by itself.",
        _LATER,
    ),
    Problem(
        "OVERLOADED",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The gateway is overloaded",
        "More requests are waiting than this worker can answer soon. For some seconds it turns most of them away, and "
        "answers the others quickly.",
        _LATER,
    ),
    Problem(
        "DRAINING",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The gateway is stopping",
        "`/health/ready` says so to load balancers. Requests on open connections are still answered for up to "
        "GATEWAY_DRAIN_SECONDS.",
        "Connect again: another instance answers.",
    ),
    Problem(
        "DATABASE_REFUSED",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database refuses the gateway",
        "The database answers but refuses the gateway's credentials, does not let its user read the transactions, or "
        "cannot run the query, for instance because the collection is a view.",
        "Callers: try again later. Operators: `gateway status` says what is refused.",
    ),
    Problem(
        "DATABASE_TIMEOUT",
        HTTPStatus.GATEWAY_TIMEOUT,
        "The database took too long",
        "The database did not finish within GATEWAY_DATABASE_TIMEOUT_MS, or three times that for a summary.",
        "Ask for less: fewer days, a smaller page, no total.",
    ),
    Problem(
        "REQUEST_TIMEOUT",
        HTTPStatus.GATEWAY_TIMEOUT,
        "The request took too long",
        "The answer did not begin within GATEWAY_REQUEST_TIMEOUT_MS.",
        "Ask for less: fewer days, a smaller page, fewer fields in one operation.",
    ),
)
