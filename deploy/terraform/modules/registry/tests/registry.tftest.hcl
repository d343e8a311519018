mock_provider "aws" {}

variables {
  name       = "transactions-gateway"
  account_id = "123456789012"
  key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/one"
}

run "tags_stay_where_they_are" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "A tag names one image for ever, which was looked through."
  }
}

run "an_image_to_roll_back_to_is_kept" {
  command = plan
  variables {
    kept_images = 1
  }
  expect_failures = [var.kept_images]
}
