mock_provider "aws" {
  mock_resource "aws_eks_cluster" {
    defaults = {
      identity   = [{ oidc = [{ issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/ONE" }] }]
      vpc_config = { cluster_security_group_id = "sg-1" }
    }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/one" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-1", latest_version = 1 }
  }
}

variables {
  name               = "transactions-qa"
  region             = "eu-central-1"
  account_id         = "123456789012"
  kubernetes_version = "1.34"
  vpc_id             = "vpc-1"
  subnet_ids         = ["subnet-1", "subnet-2"]
  administrators     = ["arn:aws:iam::123456789012:role/administrator"]
  deployers          = ["arn:aws:iam::123456789012:role/deploy"]
  nodes              = { instance_types = ["m7g.large"], ami_type = "AL2023_ARM_64_STANDARD", least = 2, most = 4 }
  namespace          = "transactions-qa"
  release            = "gateway"
  zone_id            = "Z0123456789ABCDEFGHIJ"
  secret_arns        = { gateway = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:transactions-qa/gateway-abcdef" }
  key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/one"
}

run "the_api_is_private_unless_somebody_is_named" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "Kubernetes' API is reached from the VPC."
  }
}

run "a_role_belongs_to_one_service_account" {
  command = apply

  assert {
    condition     = jsondecode(aws_iam_role.pod["secrets"].assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.eu-central-1.amazonaws.com/id/ONE:sub"] == "system:serviceaccount:transactions-qa:gateway-secrets"
    error_message = "The chart's <release>-secrets reads the secrets, and no other account."
  }

  assert {
    condition     = alltrue([for policy in aws_iam_role_policy.pod : length(regexall("\"[a-z0-9-]+:\\*\"", policy.policy)) == 0])
    error_message = "No action is a wildcard."
  }

  assert {
    condition = alltrue([
      for statement in flatten([for policy in aws_iam_role_policy.pod : jsondecode(policy.policy).Statement]) :
      try(statement.Sid, "") == "Look" if contains(flatten([statement.Resource]), "*")
    ])
    error_message = "Only questions, which know no resources, are asked of everything."
  }

  assert {
    condition = alltrue([
      for needed in ["iam:CreateServiceLinkedRole", "ec2:GetSecurityGroupsForVpc"] :
      contains(flatten([for statement in jsondecode(aws_iam_role_policy.pod["load-balancer"].policy).Statement : statement.Action]), needed)
    ])
    error_message = "An account whose first load balancer this is makes it too."
  }
}

run "add_ons_and_administrators_are_made" {
  command = plan

  assert {
    condition     = toset(keys(aws_eks_addon.network)) == toset(["kube-proxy", "vpc-cni"]) && toset(keys(aws_eks_addon.pods)) == toset(["coredns", "metrics-server"]) && length(aws_eks_access_entry.administrator) == 1
    error_message = "The autoscaler needs metrics, network policies the VPC's plugin, and somebody must administer."
  }
}

run "the_pipeline_works_in_its_namespace" {
  command = plan

  assert {
    condition = alltrue([
      for association in aws_eks_access_policy_association.deployer :
      association.access_scope[0].type == "namespace" && association.access_scope[0].namespaces == toset([var.namespace])
    ]) && keys(aws_eks_access_policy_association.deployer) == ["arn:aws:iam::123456789012:role/deploy"]
    error_message = "Who deploys the chart has the chart's namespace."
  }
}

run "names_are_kept_in_one_zone" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.pod["names"].policy).Statement :
      statement.Resource == "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ" if contains(flatten([statement.Action]), "route53:ChangeResourceRecordSets")
    ])
    error_message = "External-dns changes the records of the one zone."
  }
}

run "without_a_zone_nobody_keeps_names" {
  command = plan
  variables {
    zone_id = null
  }

  assert {
    condition     = !contains(keys(aws_iam_role.pod), "names")
    error_message = "A role that nobody needs is not made."
  }
}

run "pods_cannot_be_nodes" {
  command = plan

  assert {
    condition     = aws_launch_template.node.metadata_options[0].http_tokens == "required" && aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "A pod must not take the node's credentials."
  }
}

run "fargate_alone_needs_no_nodes" {
  command = plan
  variables {
    nodes              = null
    fargate_namespaces = ["kube-system", "transactions-qa"]
  }
  assert {
    condition     = length(aws_eks_node_group.this) == 0 && length(aws_eks_fargate_profile.this) == 2
    error_message = "Fargate runs the namespace."
  }
  assert {
    condition     = jsondecode(aws_eks_addon.pods["coredns"].configuration_values).computeType == "Fargate"
    error_message = "CoreDNS runs there too."
  }
}

run "the_internet_does_not_administer" {
  command = plan
  variables {
    api_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.api_cidrs]
}

run "a_user_is_not_a_role" {
  command = plan
  variables {
    administrators = ["arn:aws:iam::123456789012:user/somebody"]
  }
  expect_failures = [var.administrators]
}

run "a_deployer_does_not_administer" {
  command = plan
  variables {
    deployers = ["arn:aws:iam::123456789012:role/administrator"]
  }
  expect_failures = [var.deployers]
}
