"""Reads the database's URI from AWS Secrets Manager, for the Lambda function. No error may contain it."""

import json
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # it has no types
from botocore.session import get_session  # type: ignore[import-untyped]  # as above

from database.errors import ConfigurationError

SECRET_VARIABLE = "MONGO_URI_SECRET_ARN"  # noqa: S105 - the name of a variable
_URI_VARIABLE = "MONGO_URI"
# The same secret as the chart's pods get (deploy/helm/templates/secrets.yaml).
_URI_KEY = "mongo-uri"


def load_secret_variables(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables, with MONGO_URI from the secret that MONGO_URI_SECRET_ARN names, if it names one.

    Raises:
        ConfigurationError: the secret cannot be read.
    """
    arn = environ.get(SECRET_VARIABLE, "")
    if not arn:
        return environ
    try:
        client = get_session().create_client("secretsmanager")
        uri = str(json.loads(client.get_secret_value(SecretId=arn)["SecretString"])[_URI_KEY])
    except (BotoCoreError, ClientError, KeyError, TypeError, ValueError) as error:
        reason = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        raise ConfigurationError(
            f"{SECRET_VARIABLE}: the secret {arn} cannot be read ({reason}); the function's role needs "
            f'secretsmanager:GetSecretValue on it, and the secret is JSON: {{"{_URI_KEY}": "mongodb…"}}.'
        ) from None
    return {**environ, _URI_VARIABLE: uri}
