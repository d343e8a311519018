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

variable "image" {
  type        = string
  description = "The image by its digest."
}

variable "architecture" {
  type        = string
  description = "What the image was built for: arm64 or x86_64."
  default     = "arm64"
}

variable "memory_mb" {
  type        = number
  description = "Memory, MB; at 1,769 the function has one core."
}

variable "concurrency" {
  type        = number
  description = "Most environments at a time."
}

variable "settings" {
  type        = map(string)
  description = "More of the GATEWAY_ variables of docs/settings.md."
  default     = {}
}

variable "jwt" {
  type = object({
    issuer   = string
    audience = string
    jwks     = string
  })
  description = "Whose tokens are accepted, and where the issuer's keys are."
}

variable "throttle" {
  type = object({
    rate  = number
    burst = number
  })
  description = "Most requests a second of all callers together, and at once."
}
