"""The application as an AWS Lambda function: opened once per execution environment, it handles one event at a time.

It translates events; it must not decide what is served, or to whom, which the application does.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from fastapi import FastAPI
from mangum import Mangum
from mangum.types import LambdaContext
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from database.environment import load_environment
from gateway.app import create_app
from gateway.lambda_secret import load_secret_variables
from gateway.log import configure_logging
from gateway.problem_response import build_problem_body
from gateway.problems import PROBLEMS
from gateway.settings import load_settings
from gateway.whole_answer import MOST_BYTES, TEXT_TYPES, WholeAnswerMiddleware
from schema.failure import INTERNAL_ERROR, INTERNAL_MESSAGE

Event: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Event, LambdaContext], dict[str, Any]]

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: the response of a synchronous invocation.
FUNCTION_BYTES = 6_291_556
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
LOAD_BALANCER_BYTES = 1_000_000
# Not loopback, so that the settings require authentication.
_HOST = "0.0.0.0"  # noqa: S104 - nothing listens
logger = logging.getLogger(__name__)


def open_function(environ: Mapping[str, str]) -> Handler:
    """Open the application and return the handler for events of an HTTP API (format 2.0) or a load balancer.

    The application and its connections stay open as long as the environment lives. Lambda ends an environment without
    notice; nothing is lost, because the gateway only reads.

    Raises:
        ConfigurationError: the variables are not valid, or the secret that they name cannot be read.
    """
    environ = load_secret_variables(environ)
    settings = load_settings(environ, host=_HOST, workers=1)
    configure_logging(settings.log_format, settings.log_level)
    # Lambda freezes an environment between two events, and a change stream would fall behind.
    settings = dataclasses.replace(settings, has_rollups=False)
    app = create_app(settings, load_environment(Path("db_envs.yaml"), environ))
    # Inside RequestMiddleware, which handles errors and has requests logged; around all others.
    app.user_middleware.insert(1, Middleware(WholeAnswerMiddleware))
    return _Function(app).answer


class _Function:
    """The open application, and the event loop that runs while an event is handled."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        loop = asyncio.new_event_loop()
        # Mangum runs the current event loop.
        asyncio.set_event_loop(loop)
        # Mangum's own lifespan handling would open and close the application for each event.
        self._lifespan: AbstractAsyncContextManager[Any] = app.router.lifespan_context(app)
        loop.run_until_complete(self._lifespan.__aenter__())
        self._adapter = Mangum(self._serve, lifespan="off", text_mime_types=list(TEXT_TYPES))

    def answer(self, event: Event, context: LambdaContext) -> dict[str, Any]:
        """Return the response to an event of any kind; raise nothing, because Lambda would log an exception's text."""
        try:
            return self._adapter(event, context)
        except Exception as error:
            logger.exception("an event was not understood", exc_info=error)
            problem = PROBLEMS[INTERNAL_ERROR]
            body, media_type = build_problem_body(problem, INTERNAL_MESSAGE, "/", context.aws_request_id)
            return {
                "statusCode": problem.status.value,
                "headers": {"content-type": media_type},
                "body": body.decode(),
                "isBase64Encoded": False,
            }

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        event: Event = scope["aws.event"]
        is_load_balancer = "elb" in event["requestContext"]
        client, port = scope["client"]
        added = {
            MOST_BYTES: LOAD_BALANCER_BYTES if is_load_balancer else FUNCTION_BYTES,
            # The load balancer appends the last entry of X-Forwarded-For; clients can forge those before it.
            "client": (client.rpartition(",")[2].strip(), port),
            "raw_path": quote(scope["path"], safe="/:@!$&'()*+,;=-._~").encode(),
        }
        await self._app({**scope, **added}, receive, send)
