# CloudWatch alarms on symptoms of the function and its API. The cluster's alerts are Prometheus rules
# (deploy/monitoring).

locals {
  # Patterns over log lines, whose fields docs/operations.md lists.
  failures = {
    database = { pattern = "{ $.code = \"DATABASE_*\" }", most = 5, text = "The database is away, refuses or is too slow" }
    internal = { pattern = "{ $.code = \"INTERNAL_ERROR\" }", most = 0, text = "The gateway failed" }
  }
  alarms = {
    errors    = { namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum", most = 0, of = { FunctionName = var.function_name }, text = "The function ended without an answer" }
    throttles = { namespace = "AWS/Lambda", metric = "Throttles", statistic = "Sum", most = 0, of = { FunctionName = var.function_name }, text = "More environments are wanted than allowed" }
    "5xx"     = { namespace = "AWS/ApiGateway", metric = "5xx", statistic = "Average", most = 0.01, of = { ApiId = var.api_id }, text = "More than 1 % of the requests fail" }
    latency   = { namespace = "AWS/ApiGateway", metric = "Latency", statistic = "p99", most = var.latency_ms, of = { ApiId = var.api_id }, text = "1 % of the requests take longer than they should" }
  }
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text}. What to do: docs/operations.md"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.of
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = 300
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.most
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each       = local.failures
  name           = "${var.name}-${each.key}"
  log_group_name = var.log_group
  pattern        = each.value.pattern

  metric_transformation {
    namespace     = var.name
    name          = each.key
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  for_each            = local.failures
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text}. What to do: docs/operations.md"
  namespace           = var.name
  metric_name         = aws_cloudwatch_log_metric_filter.this[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.most
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
