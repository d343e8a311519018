output "url" {
  description = "Where the API answers."
  value       = module.lambda.url
}

output "topic_arn" {
  description = "Where the alarms are told."
  value       = module.observability.topic_arn
}
