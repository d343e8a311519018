terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
    mongodbatlas = {
      source = "mongodb/mongodbatlas"
      # The version whose schema deploy/checks/atlas.py checks the arguments against.
      version = "~> 1.41"
    }
  }
  # Terragrunt sets the rest (environments/root.hcl).
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

# Its keys are environment variables: MONGODB_ATLAS_PUBLIC_KEY and MONGODB_ATLAS_PRIVATE_KEY.
provider "mongodbatlas" {}
