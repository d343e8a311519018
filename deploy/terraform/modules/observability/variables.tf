variable "name" {
  type        = string
  description = "Prefix of the alarms' names, and the namespace of the metrics that are counted in the log."
}

variable "function_name" {
  type        = string
  description = "The function."
}

variable "api_id" {
  type        = string
  description = "The HTTP API."
}

variable "log_group" {
  type        = string
  description = "The function's log."
}

variable "key_arn" {
  type        = string
  description = "The KMS key that encrypts what the alarms say."
}

variable "latency_ms" {
  type        = number
  description = "How long the slowest hundredth of the requests may take, ms."
  default     = 3000
  validation {
    condition     = var.latency_ms > 0 && var.latency_ms < 30000
    error_message = "Give less than the API's own 30000."
  }
}
