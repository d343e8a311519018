# The registry of the gateway's images: tags are immutable, and each image is scanned when it is pushed.

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = false

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      # Signatures and bills of materials have no tags: they do not count, and expire with their image.
      description = "Enough to roll back to."
      selection   = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = var.kept_images }
      action      = { type = "expire" }
    }]
  })
}

locals {
  fetch = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
  # Lambda itself pulls a function's image.
  functions = {
    Sid       = "Functions"
    Effect    = "Allow"
    Principal = { Service = "lambda.amazonaws.com" }
    Action    = local.fetch
    Condition = { ArnLike = { "aws:SourceArn" = [for account in concat([var.account_id], tolist(var.readers)) : "arn:aws:lambda:${var.region}:${account}:function:transactions-*"] } }
  }
  # Those accounts' own IAM policies decide which principals may pull: nodes, and the pipeline that verifies signatures.
  readers = length(var.readers) == 0 ? [] : [{
    Sid       = "OtherEnvironments"
    Effect    = "Allow"
    Principal = { AWS = [for account in var.readers : "arn:aws:iam::${account}:root"] }
    Action    = concat(local.fetch, ["ecr:BatchCheckLayerAvailability"])
  }]
}

resource "aws_ecr_repository_policy" "fetch" {
  repository = aws_ecr_repository.this.name
  policy     = jsonencode({ Version = "2012-10-17", Statement = concat([local.functions], local.readers) })
}
