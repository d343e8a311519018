output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "vpc_cidr" {
  description = "The VPC's addresses."
  value       = module.network.cidr
}

output "subnet_ids" {
  description = "The private subnets."
  value       = module.network.private_subnet_ids
}

output "key_arn" {
  description = "The environment's KMS key."
  value       = module.secrets.key_arn
}

output "secret_arns" {
  description = "The secrets, by who reads them."
  value       = module.secrets.secret_arns
}

output "registry_url" {
  description = "Where images are pushed."
  value       = module.registry.url
}
