variable "domain" {
  type        = string
  description = "The full name, such as transactions.example.com."
  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "Give a full name in lower case, such as transactions.example.com."
  }
}

variable "zone_id" {
  type        = string
  description = "The Route 53 zone that the name is in."
  validation {
    condition     = can(regex("^[A-Z0-9]{10,32}$", var.zone_id))
    error_message = "A zone's id is capital letters and digits; it is not the zone's name."
  }
}
