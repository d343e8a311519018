mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:one" }
  }
}

variables {
  name          = "transactions-qa"
  function_name = "transactions-qa"
  api_id        = "api"
  log_group     = "/aws/lambda/transactions-qa"
  key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/one"
}

run "every_alarm_tells_somebody" {
  command = apply

  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.this), values(aws_cloudwatch_metric_alarm.failures)) : length(alarm.alarm_actions) == 1 && strcontains(alarm.alarm_description, "docs/operations.md")])
    error_message = "An alarm tells the topic, and what to do."
  }
}

run "a_latency_that_cannot_be_is_refused" {
  command = plan
  variables {
    latency_ms = 40000
  }
  expect_failures = [var.latency_ms]
}
