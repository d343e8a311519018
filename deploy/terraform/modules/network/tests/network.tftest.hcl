mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:one" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
}

variables {
  name       = "transactions-qa"
  region     = "eu-central-1"
  account_id = "123456789012"
  cidr       = "10.20.0.0/16"
  zones      = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  single_nat = false
  key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/one"
}

run "subnets_do_not_overlap" {
  command = plan

  assert {
    condition     = [for zone in var.zones : aws_subnet.private[zone].cidr_block] == ["10.20.64.0/18", "10.20.128.0/18", "10.20.192.0/18"]
    error_message = "Each zone has a quarter of the VPC for what runs in it."
  }

  assert {
    condition     = [for zone in var.zones : aws_subnet.public[zone].cidr_block] == ["10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"]
    error_message = "The public subnets share the quarter that is left."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "Nothing gets a public address unasked."
  }
}

run "production_has_a_nat_in_each_zone" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "A zone that fails must not take the others' way out with it."
  }
}

run "one_nat_serves_all_zones_where_that_is_asked" {
  command = apply

  variables {
    single_nat = true
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(distinct([for route in aws_route.nat : route.nat_gateway_id])) == 1
    error_message = "All routes lead to the one."
  }
}

run "aws_is_asked_by_endpoints" {
  command = plan

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled]) && contains(keys(aws_vpc_endpoint.interface), "secretsmanager")
    error_message = "Secrets do not leave the VPC."
  }
}

run "a_range_too_small_is_refused" {
  command = plan
  variables {
    cidr = "10.20.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "a_zone_of_another_region_is_refused" {
  command = plan
  variables {
    zones = ["eu-central-1a", "us-east-1a"]
  }
  expect_failures = [var.zones]
}

run "one_zone_is_refused" {
  command = plan
  variables {
    zones = ["eu-central-1a"]
  }
  expect_failures = [var.zones]
}
