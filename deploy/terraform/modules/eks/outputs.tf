output "cluster_name" {
  description = "The cluster."
  value       = aws_eks_cluster.this.name
}

output "load_balancer_role_arn" {
  description = "For the service account of the load balancer controller's chart."
  value       = aws_iam_role.pod["load-balancer"].arn
}

output "secrets_role_arn" {
  description = "For the chart's secrets.aws.roleArn."
  value       = aws_iam_role.pod["secrets"].arn
}

output "names_role_arn" {
  description = "For the service account of external-dns's chart; null without a zone."
  value       = try(aws_iam_role.pod["names"].arn, null)
}

output "autoscaler_role_arn" {
  description = "For the service account of the cluster autoscaler's chart."
  value       = aws_iam_role.pod["autoscaler"].arn
}
