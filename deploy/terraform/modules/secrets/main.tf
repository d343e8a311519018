# The environment's KMS key and the secrets that it encrypts. Their values never pass through Terraform, so no state
# holds them: docs/deploy.md says who writes them.

locals {
  # As the chart's ExternalSecrets read them (deploy/helm/templates/secrets.yaml); the function also reads "gateway".
  parts = toset(["gateway", "owner", "metrics", "test"])
}

resource "aws_kms_key" "this" {
  description             = "Secrets, images and logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # IAM decides who may use the key; without this, nobody could ever change its policy. In a key policy, the
        # resource "*" is the key itself.
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${var.account_id}:log-group:*" } }
      },
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:MongoDB's passwords are rotated with Atlas, by the steps in docs/operations.md; no AWS function can change both
  for_each                = local.parts
  name                    = "${var.name}/${each.key}"
  description             = "Read by the gateway's ${each.key}; its keys are those of deploy/helm/templates/secrets.yaml"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 30
}
