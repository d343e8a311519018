"""The part of the table of problems (gateway/problems.py) about faulty GraphQL documents and operations."""

from http import HTTPStatus

from gateway.problem import Problem

GRAPHQL_PROBLEMS = (
    Problem(
        "GRAPHQL_REQUEST_INVALID",
        HTTPStatus.BAD_REQUEST,
        "The request is not a GraphQL request",
        "The body is not a JSON object with a string `query` or `documentId` and, if given, an object `variables`, a "
        "string `operationName` and an object `extensions` (GraphQL over HTTP). A document that is sent with an "
        "identifier must be the one it stands for. Batches, several requests in one array, are not accepted. A "
        "WebSocket must offer the subprotocol `graphql-transport-ws`.",
        "Send one JSON object of that form.",
    ),
    Problem(
        "GRAPHQL_PARSE_FAILED",
        HTTPStatus.BAD_REQUEST,
        "The document is not GraphQL",
        "The document breaks GraphQL's syntax at the place that `locations` gives.",
        "Correct the document there.",
    ),
    Problem(
        "GRAPHQL_VALIDATION_FAILED",
        HTTPStatus.BAD_REQUEST,
        "The document does not fit the schema",
        "A field, an argument or a value is not one of the schema's, at the place that `locations` gives.",
        "Compare with the schema: GraphiQL shows it at /graphql, the repository holds it in schema/schema.graphql.",
    ),
    Problem(
        "GRAPHQL_VARIABLES_INVALID",
        HTTPStatus.BAD_REQUEST,
        "A variable is not valid",
        "A variable is missing or its value is not of the type that the operation declares.",
        "Send the variable with a value of its type.",
    ),
    Problem(
        "GRAPHQL_OPERATION_NOT_FOUND",
        HTTPStatus.BAD_REQUEST,
        "The operation was not found",
        "The document holds no operation, several without an `operationName`, or none of that name.",
        "Name one operation of the document in `operationName`.",
    ),
    Problem(
        "QUERY_TOO_DEEP",
        HTTPStatus.BAD_REQUEST,
        "The operation is nested too deeply",
        "The operation nests fields deeper than GATEWAY_MAX_DEPTH, or a fragment contains itself.",
        "Select fewer levels.",
    ),
    Problem(
        "QUERY_TOO_LONG",
        HTTPStatus.BAD_REQUEST,
        "The document is too long",
        "The document has more tokens than GATEWAY_MAX_TOKENS.",
        "Send shorter documents; values belong in variables.",
    ),
    Problem(
        "TOO_MANY_ALIASES",
        HTTPStatus.BAD_REQUEST,
        "The operation has too many aliases",
        "The operation has more aliases than GATEWAY_MAX_ALIASES, or selects one field of its answer more often than "
        "that, all fragments together.",
        "Send several operations.",
    ),
    Problem(
        "TOO_MANY_DIRECTIVES",
        HTTPStatus.BAD_REQUEST,
        "The document has too many directives",
        "The document has more directives than GATEWAY_MAX_DIRECTIVES.",
        "Send several operations.",
    ),
    Problem(
        "TOO_MANY_ROWS",
        HTTPStatus.BAD_REQUEST,
        "The operation asks for too many rows",
        "The pages of the operation, all together, ask for more rows than GATEWAY_MAX_ROWS: each counts by its `first` "
        "or `last`, 100 without either, once for each `nodes` and `edges` of it, and once more for each further `node` "
        "of its edges; a list of which only the total is selected does not count. Each representation of `_entities` "
        "counts as one, each summary as 1000.",
        "Ask for smaller pages or fewer representations, or send several operations.",
    ),
    Problem(
        "DOCUMENT_TOO_LARGE",
        HTTPStatus.BAD_REQUEST,
        "The document is too large",
        "The document has more bytes than GATEWAY_MAX_DOCUMENT_BYTES.",
        "Send shorter documents; values belong in variables.",
    ),
    Problem(
        "INTROSPECTION_DISABLED",
        HTTPStatus.BAD_REQUEST,
        "The schema is not shown here",
        "The document asks for `__schema`, `__type` or Federation's `_service`, which GATEWAY_INTROSPECTION turns off; "
        "`__typename` is answered.",
        "Read the schema in the repository: schema/schema.graphql.",
    ),
    Problem(
        "PERSISTED_QUERY_NOT_FOUND",
        HTTPStatus.BAD_REQUEST,
        "The document of this hash is not known",
        "A hash was sent without its document, and this gateway does not know the document, or no longer does. In "
        "`application/json` the status is 200, as clients of automatic persisted queries expect.",
        "Send the document once, with the hash; clients with automatic persisted queries do so by themselves.",
    ),
    Problem(
        "DOCUMENT_NOT_TRUSTED",
        HTTPStatus.FORBIDDEN,
        "The document is not one of the trusted ones",
        "The gateway answers only the documents of its manifest (GATEWAY_TRUSTED_DOCUMENTS), by their identifier, "
        "their SHA-256 or their exact text. GraphiQL's introspection is refused too.",
        "Send the hash of a trusted document, or have the document added to the manifest.",
    ),
)
