output "cluster_name" {
  description = "The cluster."
  value       = module.eks.cluster_name
}

output "load_balancer_role_arn" {
  description = "For the service account of the load balancer controller's chart."
  value       = module.eks.load_balancer_role_arn
}

output "secrets_role_arn" {
  description = "For the chart's secrets.aws.roleArn."
  value       = module.eks.secrets_role_arn
}

output "certificate_arn" {
  description = "For the chart's ingress.alb.certificateArn; null without a domain."
  value       = one(module.dns[*].certificate_arn)
}

output "names_role_arn" {
  description = "For the service account of external-dns's chart; null without a domain."
  value       = module.eks.names_role_arn
}

output "autoscaler_role_arn" {
  description = "For the service account of the cluster autoscaler's chart."
  value       = module.eks.autoscaler_role_arn
}
