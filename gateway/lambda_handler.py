"""What AWS Lambda's runtime imports and calls: `python -m awslambdaric gateway.lambda_handler.handle`.

Here alone a module opens the application when it is imported: what Lambda imports while it makes an environment, nobody
waits for.
"""

import os

from gateway.lambda_function import open_function

handle = open_function(os.environ)
