output "topic_arn" {
  description = "Where the alarms are told; subscribe whoever is on duty."
  value       = aws_sns_topic.alarms.arn
}
