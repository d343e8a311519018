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
}
