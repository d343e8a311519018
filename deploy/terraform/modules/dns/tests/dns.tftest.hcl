mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:eu-central-1:123456789012:certificate/one"
      domain_validation_options = [{ domain_name = "t.example.com", resource_record_name = "_proof.t.example.com.", resource_record_type = "CNAME", resource_record_value = "_value.acm-validations.aws." }]
    }
  }
}

variables {
  domain  = "t.example.com"
  zone_id = "Z0123456789ABCDEFGHIJ"
}

run "the_zone_proves_the_name" {
  command = apply

  assert {
    condition     = aws_route53_record.proof.name == "_proof.t.example.com." && aws_acm_certificate.this.validation_method == "DNS"
    error_message = "The certificate is proven by the record that ACM asks for."
  }
}

run "a_name_is_not_a_zone" {
  command = plan
  variables {
    zone_id = "example.com"
  }
  expect_failures = [var.zone_id]
}

run "a_url_is_not_a_name" {
  command = plan
  variables {
    domain = "https://t.example.com"
  }
  expect_failures = [var.domain]
}
