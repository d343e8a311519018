# Shared by all units: each has its own state, in the environment's account, encrypted and locked by S3 itself.

locals {
  environment = read_terragrunt_config(find_in_parent_folders("environment.hcl")).locals
}

remote_state {
  backend = "s3"
  config = {
    bucket              = "${local.environment.name}-${local.environment.account_id}-state"
    key                 = "${path_relative_to_include()}/terraform.tfstate"
    region              = local.environment.region
    encrypt             = true
    use_lockfile        = true
    allowed_account_ids = [local.environment.account_id]
  }
}

inputs = {
  name       = local.environment.name
  region     = local.environment.region
  account_id = local.environment.account_id
}
