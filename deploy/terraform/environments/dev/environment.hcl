# The accounts, roles, zone id, organization and issuer are examples: replace them with your own.

locals {
  name       = "transactions-dev"
  region     = "eu-central-1"
  account_id = "111111111111"
  cidr       = "10.10.0.0/16"
  zones      = ["eu-central-1a", "eu-central-1b"]
  single_nat = true

  # The pipeline pushes to this environment's registry; the other two pull from it.
  registry_readers = ["222222222222", "333333333333"]

  atlas = {
    organization_id = "000000000000000000000000"
    instance_size   = "M10"
    is_protected    = false
  }

  cluster = {
    domain             = { name = "transactions.dev.example.com", zone_id = "Z00000000000000000000" }
    kubernetes_version = "1.34"
    api_cidrs          = []
    administrators     = ["arn:aws:iam::111111111111:role/transactions-administrator"]
    deployers          = ["arn:aws:iam::111111111111:role/transactions-deploy"]
    nodes              = { instance_types = ["m7g.large"], ami_type = "AL2023_ARM_64_STANDARD", least = 1, most = 2 }
  }

  function = {
    domain      = { name = "transactions-function.dev.example.com", zone_id = "Z00000000000000000000" }
    memory_mb   = 1769
    concurrency = 5
    settings    = {}
    jwt         = { issuer = "https://login.dev.example.com/", audience = "transactions-dev", jwks = "https://login.dev.example.com/.well-known/jwks.json" }
    throttle    = { rate = 20, burst = 40 }
  }
}
