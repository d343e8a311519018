# A MongoDB Atlas cluster with its users, reachable only by a private endpoint of the VPC, with continuous backups.

locals {
  # The gateway's users, with the roles that `gateway provision` creates elsewhere (database/provision.py). Atlas's own
  # roles would let the first read other collections, and the second drop the database.
  reads  = ["FIND", "LIST_INDEXES", "COLL_STATS", "CHANGE_STREAM"]
  writes = ["INSERT", "UPDATE", "REMOVE", "CREATE_COLLECTION", "CREATE_INDEX", "DROP_INDEX", "COLL_MOD"]
  users = {
    gateway = { role = "transactionReader", actions = local.reads }
    owner   = { role = "transactionOwner", actions = concat(local.reads, local.writes) }
  }
  atlas_region = upper(replace(var.region, "-", "_"))
}

resource "mongodbatlas_project" "this" {
  name   = var.name
  org_id = var.organization_id
  # It would show documents to the project's administrators.
  is_data_explorer_enabled = false
}

resource "mongodbatlas_advanced_cluster" "this" {
  project_id                     = mongodbatlas_project.this.id
  name                           = var.name
  cluster_type                   = "REPLICASET"
  mongo_db_major_version         = var.mongodb_version
  backup_enabled                 = true
  pit_enabled                    = true
  redact_client_log_data         = true
  termination_protection_enabled = var.is_protected

  replication_specs {
    region_configs {
      provider_name = "AWS"
      region_name   = local.atlas_region
      priority      = 7

      electable_specs {
        instance_size = var.instance_size
        node_count    = 3
      }

      auto_scaling {
        disk_gb_enabled = true
      }
    }
  }

  advanced_configuration {
    javascript_enabled           = false
    minimum_enabled_tls_protocol = "TLS1_2"
  }
}

resource "mongodbatlas_cloud_backup_schedule" "this" {
  project_id          = mongodbatlas_project.this.id
  cluster_name        = mongodbatlas_advanced_cluster.this.name
  restore_window_days = 7

  policy_item_daily {
    frequency_interval = 1
    retention_unit     = "days"
    retention_value    = 35
  }
}

resource "mongodbatlas_custom_db_role" "this" {
  for_each   = local.users
  project_id = mongodbatlas_project.this.id
  role_name  = each.value.role

  dynamic "actions" {
    for_each = each.value.actions
    content {
      action = actions.value
      resources {
        database_name   = var.database
        collection_name = "transaction"
      }
    }
  }

  actions {
    action = "DB_STATS"
    resources {
      database_name   = var.database
      collection_name = ""
    }
  }
}

resource "mongodbatlas_database_user" "this" {
  for_each           = local.users
  project_id         = mongodbatlas_project.this.id
  username           = each.key
  auth_database_name = "admin"
  password           = var.initial_passwords[each.key]

  roles {
    role_name = mongodbatlas_custom_db_role.this[each.key].role_name
    # Atlas keeps every custom role in this database.
    database_name = "admin"
  }

  scopes {
    name = mongodbatlas_advanced_cluster.this.name
    type = "CLUSTER"
  }

  lifecycle {
    # The initial password is replaced at once (docs/deploy.md): the one in the state is useless.
    ignore_changes = [password]
  }
}

resource "mongodbatlas_privatelink_endpoint" "this" {
  project_id    = mongodbatlas_project.this.id
  provider_name = "AWS"
  region        = var.region
}

resource "aws_security_group" "endpoint" {
  name        = "${var.name}-atlas"
  description = "The private endpoint of MongoDB Atlas"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "endpoint" {
  security_group_id = aws_security_group.endpoint.id
  description       = "MongoDB from within the VPC; Atlas listens on a port for each server"
  ip_protocol       = "tcp"
  from_port         = 1024
  to_port           = 65535
  cidr_ipv4         = var.vpc_cidr
}

resource "aws_vpc_endpoint" "this" {
  vpc_id             = var.vpc_id
  service_name       = mongodbatlas_privatelink_endpoint.this.endpoint_service_name
  vpc_endpoint_type  = "Interface"
  subnet_ids         = var.subnet_ids
  security_group_ids = [aws_security_group.endpoint.id]
}

resource "mongodbatlas_privatelink_endpoint_service" "this" {
  project_id          = mongodbatlas_project.this.id
  private_link_id     = mongodbatlas_privatelink_endpoint.this.private_link_id
  endpoint_service_id = aws_vpc_endpoint.this.id
  provider_name       = "AWS"
}
