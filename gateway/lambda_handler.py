"""The module that AWS Lambda's runtime imports and calls: `python -m awslambdaric gateway.lambda_handler.handle`.

It alone opens the application on import: Lambda imports it once, while it creates an execution environment.
"""

import os

from gateway.lambda_function import open_function

handle = open_function(os.environ)
