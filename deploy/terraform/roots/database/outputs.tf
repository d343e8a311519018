output "private_connection_strings" {
  description = "The cluster's addresses behind the private endpoint; without a user."
  value       = module.atlas.private_connection_strings
}
