variable "name" {
  type        = string
  description = "The project's and cluster's name."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}$", var.name))
    error_message = "Give at most 23 lower-case letters, digits and hyphens: Atlas makes host names of it."
  }
}

variable "organization_id" {
  type        = string
  description = "The organization at Atlas."
  validation {
    condition     = can(regex("^[0-9a-f]{24}$", var.organization_id))
    error_message = "An organization's id is 24 hexadecimal digits."
  }
}

variable "region" {
  type        = string
  description = "AWS's region, as AWS writes it."
}

variable "instance_size" {
  type        = string
  description = "The size of each of the three servers."
  validation {
    condition     = can(regex("^M[1-9][0-9]{1,2}$", var.instance_size))
    error_message = "Give M10 or more: smaller ones have no private endpoints."
  }
}

variable "mongodb_version" {
  type        = string
  description = "MongoDB's major version."
  default     = "8.0"
  validation {
    condition     = contains(["7.0", "8.0"], var.mongodb_version)
    error_message = "Give 7.0 or 8.0."
  }
}

variable "database" {
  type        = string
  description = "The database that holds the collection."
  default     = "transactions"
}

variable "is_protected" {
  type        = bool
  description = "Whether Atlas refuses to end the cluster."
  default     = true
}

variable "initial_passwords" {
  type        = map(string)
  description = "First passwords of the users gateway and owner, which are replaced at once (docs/deploy.md)."
  sensitive   = true
  validation {
    condition     = alltrue([for user in ["gateway", "owner"] : length(lookup(var.initial_passwords, user, "")) >= 20])
    error_message = "Give a password of 20 characters or more for gateway and for owner."
  }
}

variable "vpc_id" {
  type        = string
  description = "The VPC that the endpoint is in."
}

variable "vpc_cidr" {
  type        = string
  description = "The VPC's addresses, which may reach the endpoint."
}

variable "subnet_ids" {
  type        = list(string)
  description = "The private subnets that the endpoint is in."
}
