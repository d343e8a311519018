# The gateway on EKS.

terraform {
  source = "${get_repo_root()}/deploy/terraform//roots/cluster"
}

dependency "foundation" {
  config_path = "${get_terragrunt_dir()}/../foundation"

  # Placeholders, because there are no outputs to read before the first apply.
  mock_outputs_allowed_terraform_commands = ["init", "validate", "plan"]
  mock_outputs = {
    vpc_id      = "vpc-00000000000000000"
    vpc_cidr    = "10.0.0.0/16"
    subnet_ids  = ["subnet-00000000000000000", "subnet-00000000000000001"]
    key_arn     = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
    secret_arns = { gateway = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:gateway-000000" }
  }
}

locals {
  environment = read_terragrunt_config(find_in_parent_folders("environment.hcl")).locals
}

inputs = {
  vpc_id             = dependency.foundation.outputs.vpc_id
  subnet_ids         = dependency.foundation.outputs.subnet_ids
  key_arn            = dependency.foundation.outputs.key_arn
  secret_arns        = dependency.foundation.outputs.secret_arns
  domain             = local.environment.cluster.domain
  kubernetes_version = local.environment.cluster.kubernetes_version
  api_cidrs          = local.environment.cluster.api_cidrs
  administrators     = local.environment.cluster.administrators
  deployers          = local.environment.cluster.deployers
  nodes              = local.environment.cluster.nodes
}
