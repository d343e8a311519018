output "private_connection_strings" {
  description = "The cluster's addresses behind the private endpoint; without a user."
  value       = mongodbatlas_advanced_cluster.this.connection_strings[0].private_endpoint
  depends_on  = [mongodbatlas_privatelink_endpoint_service.this]
}
