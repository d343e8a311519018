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

variable "vpc_cidr" {
  type        = string
  description = "The VPC's addresses, from foundation."
}

variable "organization_id" {
  type        = string
  description = "The organization at Atlas."
}

variable "instance_size" {
  type        = string
  description = "The size of each of the three servers, M10 or more."
}

variable "is_protected" {
  type        = bool
  description = "Whether Atlas refuses to end the cluster."
}

variable "initial_passwords" {
  type        = map(string)
  description = "First passwords of the users gateway and owner, by TF_VAR_initial_passwords."
  sensitive   = true
}
