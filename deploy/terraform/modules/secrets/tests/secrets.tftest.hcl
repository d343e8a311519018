mock_provider "aws" {}

variables {
  name       = "transactions-qa"
  region     = "eu-central-1"
  account_id = "123456789012"
}

run "secrets_are_named_as_the_chart_reads_them" {
  command = plan

  assert {
    condition     = toset([for secret in aws_secretsmanager_secret.this : secret.name]) == toset(["transactions-qa/gateway", "transactions-qa/owner", "transactions-qa/metrics", "transactions-qa/test"])
    error_message = "deploy/helm/templates/secrets.yaml reads <path>/gateway, /owner, /metrics and /test."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key is rotated."
  }
}
