output "key_arn" {
  description = "The KMS key of the environment."
  value       = aws_kms_key.this.arn
}

output "secret_arns" {
  description = "The secrets, by who reads them: gateway, owner, metrics and test."
  value       = { for part, secret in aws_secretsmanager_secret.this : part => secret.arn }
}
