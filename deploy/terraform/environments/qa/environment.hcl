# The accounts, roles, zone id, organization and issuer are examples: replace them with your own.

locals {
  name       = "transactions-qa"
  region     = "eu-central-1"
  account_id = "222222222222"
  cidr       = "10.20.0.0/16"
  zones      = ["eu-central-1a", "eu-central-1b"]
  single_nat = true

  registry_readers = []

  atlas = {
    organization_id = "000000000000000000000000"
    instance_size   = "M10"
    is_protected    = true
  }

  cluster = {
    domain             = { name = "transactions.qa.example.com", zone_id = "Z00000000000000000000" }
    kubernetes_version = "1.34"
    api_cidrs          = []
    administrators     = ["arn:aws:iam::222222222222:role/transactions-administrator"]
    deployers          = ["arn:aws:iam::222222222222:role/transactions-deploy"]
    nodes              = { instance_types = ["m7g.large"], ami_type = "AL2023_ARM_64_STANDARD", least = 2, most = 4 }
  }

  function = {
    domain      = { name = "transactions-function.qa.example.com", zone_id = "Z00000000000000000000" }
    memory_mb   = 1769
    concurrency = 20
    settings    = {}
    jwt         = { issuer = "https://login.qa.example.com/", audience = "transactions-qa", jwks = "https://login.qa.example.com/.well-known/jwks.json" }
    throttle    = { rate = 50, burst = 100 }
  }
}
