# What the other roots build on: the key and secrets, the network, and the image registry.

module "secrets" {
  source     = "../../modules/secrets"
  name       = var.name
  region     = var.region
  account_id = var.account_id
}

module "network" {
  source     = "../../modules/network"
  name       = var.name
  region     = var.region
  account_id = var.account_id
  cidr       = var.cidr
  zones      = var.zones
  single_nat = var.single_nat
  key_arn    = module.secrets.key_arn
}

module "registry" {
  source     = "../../modules/registry"
  name       = "transactions-gateway"
  region     = var.region
  account_id = var.account_id
  readers    = var.registry_readers
  key_arn    = module.secrets.key_arn
}
