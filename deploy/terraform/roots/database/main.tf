# The database: a cluster at MongoDB Atlas, and the VPC's private endpoint to it.

module "atlas" {
  source            = "../../modules/mongodb-atlas"
  name              = var.name
  organization_id   = var.organization_id
  region            = var.region
  instance_size     = var.instance_size
  is_protected      = var.is_protected
  initial_passwords = var.initial_passwords
  vpc_id            = var.vpc_id
  vpc_cidr          = var.vpc_cidr
  subnet_ids        = var.subnet_ids
}
