"""The one table of problems: code, status, title, and the text of docs/errors/<code>.md, generated from it.

REST returns them as RFC 9457 problems, GraphQL as errors with the same codes.
"""

from http import HTTPStatus

from gateway.graphql_problems import GRAPHQL_PROBLEMS
from gateway.problem import Problem
from gateway.service_problems import SERVICE_PROBLEMS

# Long enough for the election of a primary, short enough not to waste the client's time.
RETRY_AFTER_SECONDS = 5

_VALUE = "Correct the value as `detail` says and send the request again."

_TABLE = (
    Problem(
        "INVALID_DAYS",
        HTTPStatus.BAD_REQUEST,
        "The number of days is not valid",
        "`days` is a whole number from 0 to 36500: the last n days of 24 hours, up to the moment the request arrives.",
        _VALUE,
    ),
    Problem(
        "INVALID_CARD_TYPE",
        HTTPStatus.BAD_REQUEST,
        "The card type is not valid",
        "A card type is a name of 1 to 64 printable characters, in upper or lower case. Unknown names are valid: "
        "they find nothing.",
        _VALUE,
    ),
    Problem(
        "INVALID_COUNTRY",
        HTTPStatus.BAD_REQUEST,
        "The country is not valid",
        "A country is an ISO 3166-1 code of two letters (`US`) or three (`USA`), in upper or lower case.",
        _VALUE,
    ),
    Problem(
        "INVALID_AMOUNT",
        HTTPStatus.BAD_REQUEST,
        "The amount is not valid",
        "An amount is a decimal number of at most 15 significant digits, without an exponent: `100`, `100.0` and "
        "`100.00` are the same. The smallest may not be more than the largest; both are inclusive.",
        _VALUE,
    ),
    Problem(
        "INVALID_PAGE",
        HTTPStatus.BAD_REQUEST,
        "The size of the page is not valid",
        "A page holds at most 10000 rows. GraphQL takes `first` or `last` (0 to 10000), not both; REST takes `limit` "
        "(1 to 10000), or none for all rows.",
        _VALUE,
    ),
    Problem(
        "INVALID_CURSOR",
        HTTPStatus.BAD_REQUEST,
        "The cursor is not valid",
        "A cursor is text that a page returned; REST also takes `date,_id` of a row, its date in ms. It was altered, "
        "or it belongs to another order than the one asked for.",
        "Use a cursor as it was returned, with the order of the page it came from; or start again without one.",
    ),
    Problem(
        "INVALID_PARAMETER",
        HTTPStatus.BAD_REQUEST,
        "A query parameter is not valid",
        "The path does not know the parameter or its value, or it is given twice. Unknown parameters are refused "
        "rather than ignored: with a misspelt filter the answer would otherwise be a different one.",
        "Use the parameters and values that `detail` lists, each once.",
    ),
    Problem(
        "INVALID_REPRESENTATION",
        HTTPStatus.BAD_REQUEST,
        "The representation of an entity is not valid",
        "An Apollo Federation router queries `_entities` by representations: objects with `__typename`, which here is "
        "`Transaction`, and the `id`. An invalid one is answered with null and this error, at its index; the others "
        "are answered.",
        "Correct the representation whose index the message gives, counted from 0.",
    ),
    Problem(
        "INVALID_GROUPING",
        HTTPStatus.BAD_REQUEST,
        "The grouping is not valid",
        "A summary is grouped by at most two of `cardType`, `country`, `currency`, `vendor`, `amountRange`, `hour`, "
        "`day`, `week` and `month`, ordered by key, count or sum, and cut off after `top` groups (1 to 10000). It can "
        "be ordered by sum only with `into`, where all amounts are in one currency.",
        _VALUE,
    ),
    Problem(
        "INVALID_TIME_ZONE",
        HTTPStatus.BAD_REQUEST,
        "The time zone is not known",
        "A time zone is an IANA name, spelt as in the IANA database: `Europe/Berlin`, `UTC`. For dates before 1970 "
        "or from 2040 on, MongoDB must know it too.",
        _VALUE,
    ),
    Problem(
        "INVALID_PERCENTILE",
        HTTPStatus.BAD_REQUEST,
        "A percentile is not valid",
        "Percentiles are at most 10 different numbers from 0 to 100.",
        _VALUE,
    ),
    Problem(
        "INVALID_RATE",
        HTTPStatus.BAD_REQUEST,
        "A rate is not valid",
        "`rates` says what one unit of each currency is worth in `into`: currencies are ISO 4217 codes, each once, and "
        "rates are decimal numbers above 0 of at most 15 significant digits.",
        _VALUE,
    ),
    Problem(
        "RATE_MISSING",
        HTTPStatus.BAD_REQUEST,
        "A rate is missing",
        "Some matching transactions are in currencies that `rates` does not cover. No amount is silently left out of a "
        "sum.",
        "Send the rates of the currencies that `detail` names, or leave `into` out.",
    ),
    Problem(
        "TOO_MANY_GROUPS",
        HTTPStatus.BAD_REQUEST,
        "The summary has too many groups",
        "A summary has at most 10000 groups, including empty ones that fill gaps, and 50000 amounts: one for each "
        "currency of each group.",
        "Ask for `into`, `top` groups, fewer days, a coarser unit of time, or one key instead of two.",
    ),
    *GRAPHQL_PROBLEMS,
    Problem(
        "UNAUTHENTICATED",
        HTTPStatus.UNAUTHORIZED,
        "The caller is not authenticated",
        "The request has no valid credentials. The answer does not say which part of them is wrong.",
        "Send one header `Authorization: Bearer` with an API key (`gateway keys create`) or a JWT of the configured "
        "issuer.",
    ),
    Problem(
        "FORBIDDEN",
        HTTPStatus.FORBIDDEN,
        "The caller may not do this",
        "The caller is known and lacks the scope that `detail` names.",
        "Ask the operator for a key or a token with that scope.",
    ),
    Problem(
        "AUTHENTICATION_UNAVAILABLE",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The credentials cannot be checked",
        "The keys for checking credentials are not available: the issuer of JWTs was not reached since the start, or a "
        "file is invalid. The gateway tries again by itself. The credentials may be valid or not.",
        "Callers: try again later. Operators: the log says what could not be read.",
    ),
    Problem(
        "CROSS_SITE_REQUEST",
        HTTPStatus.FORBIDDEN,
        "A page of another site sent the request",
        "By its headers, a page of another site sent this request, and GATEWAY_CORS_ORIGINS does not list that site.",
        "Ask the operator to list the site, or send the request from a program.",
    ),
    Problem(
        "HOST_NOT_SERVED",
        HTTPStatus.MISDIRECTED_REQUEST,
        "The request is for another host",
        "A gateway without authentication answers only for the names of this machine "
        "itself, so that no page of another site can reach it under a name of its own.",
        "Use http://localhost or http://127.0.0.1; to serve other names, configure authentication.",
    ),
    Problem(
        "TOO_MANY_REQUESTS",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "The caller has sent more requests in a minute than GATEWAY_REQUESTS_PER_MINUTE, or the address has failed "
        "to authenticate more often than GATEWAY_FAILURES_PER_MINUTE.",
        "Wait as long as `Retry-After` says.",
    ),
    Problem(
        "NOT_FOUND",
        HTTPStatus.NOT_FOUND,
        "There is nothing at this path",
        "The gateway has no such path. A transaction that does not exist is not an error: GraphQL answers null.",
        "Use one of the paths that `detail` lists.",
    ),
    Problem(
        "METHOD_NOT_ALLOWED",
        HTTPStatus.METHOD_NOT_ALLOWED,
        "The method is not allowed here",
        "The gateway is read-only: GET and HEAD, and POST at /graphql. `Allow` lists the methods of the path.",
        "Use one of those methods.",
    ),
    Problem(
        "NOT_ACCEPTABLE",
        HTTPStatus.NOT_ACCEPTABLE,
        "None of the accepted media types is available",
        "The request's `Accept` allows none of the types that the path can answer with. A GraphQL subscription is "
        "answered only as `text/event-stream`.",
        "Accept one of the types that `detail` lists.",
    ),
    Problem(
        "ANSWER_NOT_DELIVERABLE",
        HTTPStatus.BAD_REQUEST,
        "The answer cannot be delivered",
        "On AWS Lambda each answer is returned whole, of at most 6 MB (1 MB through a load balancer), and never as a "
        "stream of events. A gateway that runs as a server has no such limit.",
        "Ask for pages, REST by `limit` and `after`, GraphQL by `first` and `after`, as `detail` says; or accept gzip.",
    ),
    Problem(
        "BODY_TOO_LARGE",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is too large",
        "The body has more bytes than GATEWAY_MAX_BODY_BYTES.",
        "Send a shorter document and smaller variables.",
    ),
    Problem(
        "BODY_TIMEOUT",
        HTTPStatus.REQUEST_TIMEOUT,
        "The body did not arrive in time",
        "The body of the request did not arrive within GATEWAY_REQUEST_TIMEOUT_MS.",
        "Send the body without pauses.",
    ),
    Problem(
        "UNSUPPORTED_MEDIA_TYPE",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body's media type is not supported",
        "GraphQL requests must be `application/json` in UTF-8, uncompressed.",
        "Send JSON with `Content-Type: application/json` and no `Content-Encoding`.",
    ),
    Problem(
        "LIVE_UNAVAILABLE",
        HTTPStatus.NOT_IMPLEMENTED,
        "There are no live transactions here",
        "The database cannot report what is added to it: it is a single server without change streams, its user may "
        "not "
        "follow changes, or the collection is a view.",
        "Ask the operator to do what `detail` says; until then request pages.",
    ),
    Problem(
        "LIVE_EVENT_UNKNOWN",
        HTTPStatus.BAD_REQUEST,
        "The stream cannot go on after this event",
        "`Last-Event-ID`, or `lastEventId`, is not an id of this stream, or what followed it is no longer in the oplog "
        "of the database. Nothing is skipped silently.",
        "Read what was missed from a list, and connect without an id.",
    ),
    Problem(
        "LIVE_TOO_SLOW",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The client is too slow",
        "More events came than are kept for a client that does not read them (2,000, or 8 MB). The last event of its "
        "stream says so.",
        "Connect again with the last id received, as browsers do: what followed is sent again. Or use a narrower "
        "filter.",
    ),
    Problem(
        "LIVE_TOO_MANY",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many live streams",
        "The caller has GATEWAY_MAX_SUBSCRIPTIONS live streams open at the worker that was asked. Anonymous callers "
        "count by address.",
        "Close streams that are not read, and let several views share one.",
    ),
    *SERVICE_PROBLEMS,
)
PROBLEMS = {problem.code: problem for problem in _TABLE}
