output "url" {
  description = "The repository's address, to push to and pull from."
  value       = aws_ecr_repository.this.repository_url
}

output "arn" {
  description = "The repository."
  value       = aws_ecr_repository.this.arn
}
