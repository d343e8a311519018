terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
    mongodbatlas = {
      source = "mongodb/mongodbatlas"
      # The version whose schema deploy/checks/atlas.py holds the arguments to.
      version = "~> 1.41"
    }
  }
  # Terragrunt gives the rest (environments/root.hcl).
  backend "s3" {}
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      environment = var.name
      managed-by  = "terraform"
    }
  }
}

# Its keys are variables of the environment: MONGODB_ATLAS_PUBLIC_KEY and MONGODB_ATLAS_PRIVATE_KEY.
provider "mongodbatlas" {}
