output "url" {
  description = "Where the API answers."
  value       = var.domain == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain.name}"
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.this.function_name
}

output "api_id" {
  description = "The HTTP API."
  value       = aws_apigatewayv2_api.this.id
}

output "log_group" {
  description = "The function's log."
  value       = aws_cloudwatch_log_group.function.name
}
