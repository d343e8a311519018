# The key, secrets, network and registry of an environment.

terraform {
  source = "${get_repo_root()}/deploy/terraform//roots/foundation"
}

locals {
  environment = read_terragrunt_config(find_in_parent_folders("environment.hcl")).locals
}

inputs = {
  cidr             = local.environment.cidr
  zones            = local.environment.zones
  single_nat       = local.environment.single_nat
  registry_readers = local.environment.registry_readers
}
