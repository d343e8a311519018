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

variable "kept_images" {
  type        = number
  description = "How many images are kept."
  default     = 50
  validation {
    condition     = var.kept_images >= 10
    error_message = "Keep at least 10: what runs must be among them."
  }
}
