# The database of an environment. TF_VAR_initial_passwords sets the initial passwords (docs/deploy.md).

terraform {
  source = "${get_repo_root()}/deploy/terraform//roots/database"
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
  vpc_id          = dependency.foundation.outputs.vpc_id
  vpc_cidr        = dependency.foundation.outputs.vpc_cidr
  subnet_ids      = dependency.foundation.outputs.subnet_ids
  organization_id = local.environment.atlas.organization_id
  instance_size   = local.environment.atlas.instance_size
  is_protected    = local.environment.atlas.is_protected
}
