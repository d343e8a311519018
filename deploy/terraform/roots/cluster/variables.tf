variable "name" {
  type        = string
  description = "The environment's name, which all names begin with, such as transactions-qa."
  validation {
    condition     = can(regex("^transactions-(dev|qa|production)$", var.name))
    error_message = "Give transactions-dev, transactions-qa or transactions-production."
  }
}

variable "region" {
  type        = string
  description = "AWS's region, such as eu-central-1."
  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "Give a region as AWS writes it, such as eu-central-1."
  }
}

variable "account_id" {
  type        = string
  description = "The only account of AWS that is touched."
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account of AWS is 12 digits."
  }
}

variable "vpc_id" {
  type        = string
  description = "The VPC, from foundation."
}

variable "subnet_ids" {
  type        = list(string)
  description = "The private subnets, from foundation."
}

variable "key_arn" {
  type        = string
  description = "The KMS key, from foundation."
}

variable "secret_arns" {
  type        = map(string)
  description = "The secrets, from foundation."
}

variable "domain" {
  type = object({
    name    = string
    zone_id = string
  })
  description = "The name that callers use and its Route 53 zone; null for none."
  default     = null
}

variable "kubernetes_version" {
  type        = string
  description = "Kubernetes' minor version."
}

variable "api_cidrs" {
  type        = list(string)
  description = "From where Kubernetes' API is reached over the internet; none: only from the VPC."
}

variable "administrators" {
  type        = set(string)
  description = "The roles that may do everything in the cluster."
}

variable "deployers" {
  type        = set(string)
  description = "The roles that may do everything in the chart's namespace."
}

variable "nodes" {
  type = object({
    instance_types = list(string)
    ami_type       = string
    least          = number
    most           = number
  })
  description = "The nodes; null where Fargate runs everything."
}

variable "fargate_namespaces" {
  type        = set(string)
  description = "Namespaces whose pods run on Fargate."
  default     = []
}

variable "addons" {
  type        = map(string)
  description = "EKS's add-ons and their versions; null for the version that EKS prefers."
  default = {
    coredns        = null
    kube-proxy     = null
    metrics-server = null
    vpc-cni        = null
  }
}
