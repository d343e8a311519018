variable "name" {
  type        = string
  description = "The cluster's name."
}

variable "region" {
  type        = string
  description = "AWS's region."
}

variable "account_id" {
  type        = string
  description = "The account of the cluster."
}

variable "kubernetes_version" {
  type        = string
  description = "Kubernetes' minor version; raise it by one at a time."
  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "Give a minor version, such as 1.34."
  }
}

variable "vpc_id" {
  type        = string
  description = "The VPC."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets for nodes and pods, in two zones at least."
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Give two subnets at least: a zone may fail."
  }
}

variable "api_cidrs" {
  type        = list(string)
  description = "From where Kubernetes' API is reached over the internet; none: only from the VPC."
  default     = []
  validation {
    condition     = alltrue([for cidr in var.api_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]) >= 16, false)])
    error_message = "Give ranges of /16 or narrower; the whole internet is not among those who administer a cluster."
  }
}

variable "administrators" {
  type        = set(string)
  description = "The roles that may do everything in the cluster: those of people."
  validation {
    condition     = alltrue([for role in var.administrators : can(regex("^arn:aws:iam::[0-9]{12}:role/.+$", role))])
    error_message = "Give the ARNs of IAM roles."
  }
}

variable "deployers" {
  type        = set(string)
  description = "The roles that may do everything in the chart's namespace and nothing outside it: the pipeline's."
  default     = []
  validation {
    condition     = alltrue([for role in var.deployers : can(regex("^arn:aws:iam::[0-9]{12}:role/.+$", role))])
    error_message = "Give the ARNs of IAM roles."
  }
  validation {
    condition     = length(setintersection(var.deployers, var.administrators)) == 0
    error_message = "A role is one or the other: who administers needs no namespace."
  }
}

variable "nodes" {
  type = object({
    instance_types = list(string)
    ami_type       = string
    least          = number
    most           = number
  })
  description = "The nodes; null where Fargate runs everything."
  validation {
    condition     = var.nodes == null || try(var.nodes.least >= 1 && var.nodes.most >= var.nodes.least, false)
    error_message = "least is 1 or more, and most is not less."
  }
}

variable "fargate_namespaces" {
  type        = set(string)
  description = "Namespaces whose pods run on Fargate instead of nodes; without nodes, kube-system is among them. Fargate keeps no NetworkPolicies."
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

variable "namespace" {
  type        = string
  description = "The chart's namespace."
}

variable "release" {
  type        = string
  description = "The chart's release, whose service account <release>-secrets reads the secrets."
}

variable "secret_arns" {
  type        = map(string)
  description = "The secrets that External Secrets reads for the chart."
}

variable "zone_id" {
  type        = string
  description = "The Route 53 zone in which external-dns keeps the ingress's name; null for none."
  default     = null
}

variable "key_arn" {
  type        = string
  description = "The KMS key of the secrets, of Kubernetes' own secrets and of the logs."
}
