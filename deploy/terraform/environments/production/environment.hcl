# The accounts, roles, zone id, organization and issuer are examples: replace them with your own.

locals {
  name       = "transactions-production"
  region     = "eu-central-1"
  account_id = "333333333333"
  cidr       = "10.30.0.0/16"
  zones      = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  single_nat = false

  registry_readers = []

  atlas = {
    organization_id = "000000000000000000000000"
    instance_size   = "M30"
    is_protected    = true
  }

  cluster = {
    domain             = { name = "transactions.example.com", zone_id = "Z00000000000000000000" }
    kubernetes_version = "1.34"
    api_cidrs          = []
    administrators     = ["arn:aws:iam::333333333333:role/transactions-administrator"]
    deployers          = ["arn:aws:iam::333333333333:role/transactions-deploy"]
    nodes              = { instance_types = ["m7g.xlarge"], ami_type = "AL2023_ARM_64_STANDARD", least = 3, most = 12 }
  }

  function = {
    domain      = { name = "transactions-function.example.com", zone_id = "Z00000000000000000000" }
    memory_mb   = 1769
    concurrency = 50
    settings    = {}
    jwt         = { issuer = "https://login.example.com/", audience = "transactions", jwks = "https://login.example.com/.well-known/jwks.json" }
    throttle    = { rate = 200, burst = 400 }
  }
}
