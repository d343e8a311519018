mock_provider "aws" {}

variables {
  name       = "transactions-gateway"
  region     = "eu-central-1"
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

run "only_functions_of_its_account_fetch" {
  command = plan

  assert {
    condition     = [for statement in jsondecode(aws_ecr_repository_policy.fetch.policy).Statement : statement.Sid] == ["Functions"]
    error_message = "Nobody else fetches where no other account is named."
  }
}

run "other_environments_fetch_and_do_not_push" {
  command = plan
  variables {
    readers = ["222222222222"]
  }

  assert {
    condition     = jsondecode(aws_ecr_repository_policy.fetch.policy).Statement[1].Principal.AWS == ["arn:aws:iam::222222222222:root"]
    error_message = "The named account fetches."
  }

  assert {
    condition     = length(regexall("Put|Upload|Delete|\\*\"", jsonencode(jsondecode(aws_ecr_repository_policy.fetch.policy).Statement[1].Action))) == 0
    error_message = "It does nothing else."
  }
}

run "a_name_is_not_an_account" {
  command = plan
  variables {
    readers = ["qa"]
  }
  expect_failures = [var.readers]
}
