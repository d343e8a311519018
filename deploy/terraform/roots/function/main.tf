# The gateway on Lambda: the function behind an HTTP API, its name, and its alarms.

module "dns" {
  source  = "../../modules/dns"
  count   = var.domain == null ? 0 : 1
  domain  = var.domain.name
  zone_id = var.domain.zone_id
}

module "lambda" {
  source       = "../../modules/lambda"
  name         = var.name
  region       = var.region
  account_id   = var.account_id
  image        = var.image
  architecture = var.architecture
  memory_mb    = var.memory_mb
  concurrency  = var.concurrency
  settings     = var.settings
  secret_arn   = var.secret_arns["gateway"]
  key_arn      = var.key_arn
  vpc_id       = var.vpc_id
  vpc_cidr     = var.vpc_cidr
  subnet_ids   = var.subnet_ids
  jwt          = var.jwt
  throttle     = var.throttle
  domain       = var.domain == null ? null : merge(var.domain, { certificate_arn = module.dns[0].certificate_arn })
}

module "observability" {
  source        = "../../modules/observability"
  name          = var.name
  function_name = module.lambda.function_name
  api_id        = module.lambda.api_id
  log_group     = module.lambda.log_group
  key_arn       = var.key_arn
}
