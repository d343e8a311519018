# The gateway on EKS: the cluster, and the certificate of its ingress. The pipeline installs the chart (deploy/helm).

module "eks" {
  source             = "../../modules/eks"
  name               = var.name
  region             = var.region
  account_id         = var.account_id
  kubernetes_version = var.kubernetes_version
  vpc_id             = var.vpc_id
  subnet_ids         = var.subnet_ids
  api_cidrs          = var.api_cidrs
  administrators     = var.administrators
  deployers          = var.deployers
  nodes              = var.nodes
  fargate_namespaces = var.fargate_namespaces
  addons             = var.addons
  namespace          = var.name
  release            = "gateway"
  zone_id            = try(var.domain.zone_id, null)
  secret_arns        = var.secret_arns
  key_arn            = var.key_arn
}

module "dns" {
  source  = "../../modules/dns"
  count   = var.domain == null ? 0 : 1
  domain  = var.domain.name
  zone_id = var.domain.zone_id
}
