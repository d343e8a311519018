variable "name" {
  type        = string
  description = "The function's and API's name."
}

variable "region" {
  type        = string
  description = "AWS's region."
}

variable "account_id" {
  type        = string
  description = "The account of the function."
}

variable "image" {
  type        = string
  description = "The image by its digest."
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest (…@sha256:…): a tag may be pushed between plan and apply."
  }
}

variable "architecture" {
  type        = string
  description = "What the image was built for."
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Give arm64 or x86_64."
  }
}

variable "memory_mb" {
  type        = number
  description = "Memory, MB; at 1,769 the function has one core, and less makes it slower in proportion."
  validation {
    condition     = var.memory_mb >= 512 && var.memory_mb <= 10240
    error_message = "Give 512 to 10240."
  }
}

variable "concurrency" {
  type        = number
  description = "Most environments at a time. Each holds connections to the database: their sum must fit the cluster."
  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000
    error_message = "Give 1 to 1000: 0 would answer nobody, -1 would have no bound."
  }
}

variable "settings" {
  type        = map(string)
  description = "More of the GATEWAY_ variables of docs/settings.md."
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "GATEWAY_")])
    error_message = "Each name begins with GATEWAY_."
  }
  validation {
    condition     = lookup(var.settings, "GATEWAY_LOG_LEVEL", "info") == "info"
    error_message = "GATEWAY_LOG_LEVEL is info here: the alarms of modules/observability count lines of that level."
  }
}

variable "secret_arn" {
  type        = string
  description = "The secret whose key mongo-uri is the database's URI."
}

variable "key_arn" {
  type        = string
  description = "The KMS key of the secret and the logs."
}

variable "vpc_id" {
  type        = string
  description = "The VPC."
}

variable "vpc_cidr" {
  type        = string
  description = "The VPC's addresses, among which the database's private endpoint is."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets, in two zones at least."
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Give two subnets at least: a zone may fail."
  }
}

variable "jwt" {
  type = object({
    issuer   = string
    audience = string
    jwks     = string
  })
  description = "Whose tokens the API and the gateway accept, and where the issuer's keys are."
  validation {
    condition     = startswith(var.jwt.issuer, "https://") && startswith(var.jwt.jwks, "https://") && length(var.jwt.audience) > 0
    error_message = "issuer and jwks are https URLs, and audience is not empty."
  }
}

variable "throttle" {
  type = object({
    rate  = number
    burst = number
  })
  description = "Most requests a second of all callers together, and at once."
  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "Both are more than 0: 0 would answer nobody."
  }
}

variable "domain" {
  type = object({
    name            = string
    zone_id         = string
    certificate_arn = string
  })
  description = "The API's own name, if it has one."
  default     = null
}
