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

variable "cidr" {
  type        = string
  description = "The VPC's addresses, /16 to /20; different in each environment."
}

variable "zones" {
  type        = list(string)
  description = "Two or three availability zones of the region."
}

variable "single_nat" {
  type        = bool
  description = "One NAT gateway for all zones: cheaper, and gone with its zone."
}

variable "registry_readers" {
  type        = set(string)
  description = "Other environments' accounts, which fetch images from this registry."
}
