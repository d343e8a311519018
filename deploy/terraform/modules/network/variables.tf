variable "name" {
  type        = string
  description = "Prefix of all names, such as transactions-qa."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "Give 3 to 31 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "region" {
  type        = string
  description = "AWS's region, such as eu-central-1."
}

variable "account_id" {
  type        = string
  description = "The account whose flow logs may take the role."
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account of AWS is 12 digits."
  }
}

variable "cidr" {
  type        = string
  description = "The VPC's addresses; a sixteenth goes to each public subnet, a quarter to each private one."
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "Give an IPv4 range from /16 to /20, such as 10.20.0.0/16."
  }
}

variable "zones" {
  type        = list(string)
  description = "Two or three availability zones of the region."
  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 3 && length(distinct(var.zones)) == length(var.zones) && alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "Give two or three different zones of the region, such as eu-central-1a and eu-central-1b."
  }
}

variable "single_nat" {
  type        = bool
  description = "One NAT gateway for all zones: cheaper, and gone with its zone. For production false."
}

variable "key_arn" {
  type        = string
  description = "The KMS key that encrypts the flow log."
}
