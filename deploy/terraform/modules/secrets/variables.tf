variable "name" {
  type        = string
  description = "Prefix of the secrets' names, such as transactions-qa: the chart's secrets.path."
}

variable "region" {
  type        = string
  description = "AWS's region, whose logs may use the key."
}

variable "account_id" {
  type        = string
  description = "The account that the key belongs to."
}
