variable "name" {
  type        = string
  description = "The repository's name, such as transactions-gateway."
}

variable "key_arn" {
  type        = string
  description = "The KMS key that encrypts the images."
}

variable "account_id" {
  type        = string
  description = "The account whose functions may fetch the images."
}

variable "region" {
  type        = string
  description = "AWS's region."
}

variable "readers" {
  type        = set(string)
  description = "Other accounts whose clusters and functions fetch the images."
  default     = []
  validation {
    condition     = alltrue([for account in var.readers : can(regex("^[0-9]{12}$", account))])
    error_message = "An account of AWS is 12 digits."
  }
}

variable "kept_images" {
  type        = number
  description = "How many images are kept."
  default     = 50
  validation {
    condition     = var.kept_images >= 10
    error_message = "Keep at least 10: what runs must be among them."
  }
}
