mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:one" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = { execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:api" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:one", invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/one" }
  }
}

variables {
  name        = "transactions-qa"
  region      = "eu-central-1"
  account_id  = "123456789012"
  image       = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/transactions-gateway@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  memory_mb   = 1769
  concurrency = 10
  secret_arn  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:transactions-qa/gateway-abcdef"
  key_arn     = "arn:aws:kms:eu-central-1:123456789012:key/one"
  vpc_id      = "vpc-1"
  vpc_cidr    = "10.20.0.0/16"
  subnet_ids  = ["subnet-1", "subnet-2"]
  jwt         = { issuer = "https://issuer.example", audience = "gateway", jwks = "https://issuer.example/jwks.json" }
  throttle    = { rate = 50, burst = 100 }
}

run "every_route_asks_for_a_token" {
  command = plan

  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.this : route.authorization_type == "JWT"])
    error_message = "No route is open to strangers."
  }

  assert {
    condition     = alltrue([for key, route in aws_apigatewayv2_route.this : contains(route.authorization_scopes, "transactions:read") if length(regexall("transactions|graphql", key)) > 0])
    error_message = "Transactions are asked for with their scope."
  }
}

run "requests_are_bounded" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 50 && aws_lambda_function.this.reserved_concurrent_executions == 10
    error_message = "The API throttles, and the function has a number of environments that the database bears."
  }
}

run "deadlines_are_in_order" {
  command = plan

  assert {
    condition = (
      tonumber(aws_lambda_function.this.environment[0].variables.GATEWAY_REQUEST_TIMEOUT_MS) < aws_lambda_function.this.timeout * 1000
      && aws_lambda_function.this.timeout * 1000 < aws_apigatewayv2_integration.this.timeout_milliseconds
    )
    error_message = "The gateway gives up before the function, and the function before the API."
  }
}

run "no_variable_holds_the_uri" {
  command = plan

  assert {
    condition     = !contains(keys(aws_lambda_function.this.environment[0].variables), "MONGO_URI") && aws_lambda_function.this.environment[0].variables.MONGO_URI_SECRET_ARN == var.secret_arn
    error_message = "The URI is read from Secrets Manager."
  }
}

run "paths_are_not_logged" {
  command = plan

  assert {
    condition     = length(regexall("context\\.(path|httpMethod|requestOverride)|queryString|rawPath", aws_apigatewayv2_stage.this.access_log_settings[0].format)) == 0
    error_message = "A path may hold a card number that a caller wrote by mistake."
  }
}

run "only_its_own_secret_is_read" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement :
      statement.Resource == var.secret_arn if try(statement.Action == "secretsmanager:GetSecretValue", false)
    ])
    error_message = "The function reads the one secret."
  }

  assert {
    condition     = length(regexall("[a-z0-9]+:\\*\"", replace(aws_iam_role_policy.function.policy, "${aws_cloudwatch_log_group.function.arn}:*", ""))) == 0
    error_message = "No action is a wildcard."
  }
}

run "a_tag_is_refused" {
  command = plan
  variables {
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/transactions-gateway:latest"
  }
  expect_failures = [var.image]
}

run "a_number_without_a_bound_is_refused" {
  command = plan
  variables {
    concurrency = -1
  }
  expect_failures = [var.concurrency]
}

run "keys_without_tls_are_refused" {
  command = plan
  variables {
    jwt = { issuer = "https://issuer.example", audience = "gateway", jwks = "http://issuer.example/jwks.json" }
  }
  expect_failures = [var.jwt]
}

run "a_foreign_variable_is_refused" {
  command = plan
  variables {
    settings = { MONGO_URI = "mongodb://somewhere" }
  }
  expect_failures = [var.settings]
}

run "a_name_of_its_own_is_the_only_one" {
  command = plan
  variables {
    domain = { name = "t.example.com", zone_id = "Z0123456789ABCDEFGHIJ", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/one" }
  }
  assert {
    condition     = aws_apigatewayv2_api.this.disable_execute_api_endpoint && length(aws_route53_record.this) == 1
    error_message = "Beside its name, the API has no other."
  }
}

run "a_log_without_what_the_alarms_count_is_refused" {
  command = plan
  variables {
    settings = { GATEWAY_LOG_LEVEL = "warning" }
  }
  expect_failures = [var.settings]
}
