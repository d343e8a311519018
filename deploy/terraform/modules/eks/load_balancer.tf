# Permissions of the load balancer controller: limited to this account and region and to resources with its cluster's
# tag. The controller's own published policy allows the same actions on everything.

locals {
  elb      = "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}"
  ec2      = "arn:aws:ec2:${var.region}:${var.account_id}"
  tag      = "elbv2.k8s.aws/cluster"
  asks_tag = { StringEquals = { "aws:RequestTag/${local.tag}" = var.name } }
  has_tag  = { StringEquals = { "aws:ResourceTag/${local.tag}" = var.name } }
  # The controller chooses the names: only the tag identifies its own resources.
  balancers = ["${local.elb}:loadbalancer/app/*", "${local.elb}:targetgroup/*"]
  listeners = ["${local.elb}:listener/app/*", "${local.elb}:listener-rule/app/*"]

  load_balancer_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        # Read actions, which do not support resource-level permissions.
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "acm:DescribeCertificate", "acm:ListCertificates",
          "ec2:DescribeAccountAttributes", "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances",
          "ec2:DescribeInternetGateways", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc",
          "elasticloadbalancing:DescribeListenerAttributes", "elasticloadbalancing:DescribeListenerCertificates",
          "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancerAttributes",
          "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeSSLPolicies", "elasticloadbalancing:DescribeTags",
          "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
        ]
        Resource = "*"
      },
      {
        # The first load balancer in an account creates the service-linked role.
        Sid       = "MakeTheRoleOfTheService"
        Effect    = "Allow"
        Action    = "iam:CreateServiceLinkedRole"
        Resource  = "arn:aws:iam::${var.account_id}:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"
        Condition = { StringEquals = { "iam:AWSServiceName" = "elasticloadbalancing.amazonaws.com" } }
      },
      {
        Sid       = "MakeBalancers"
        Effect    = "Allow"
        Action    = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
        Resource  = local.balancers
        Condition = local.asks_tag
      },
      {
        Sid       = "TagWhatIsMade"
        Effect    = "Allow"
        Action    = "elasticloadbalancing:AddTags"
        Resource  = concat(local.balancers, local.listeners)
        Condition = { StringEquals = { "elasticloadbalancing:CreateAction" = ["CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup"], "aws:RequestTag/${local.tag}" = var.name } }
      },
      {
        Sid    = "ChangeItsOwn"
        Effect = "Allow"
        Action = [
          "elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener",
          "elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
          "elasticloadbalancing:DeleteRule", "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:DeregisterTargets",
          "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyListenerAttributes",
          "elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:ModifyRule",
          "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
          "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:RemoveListenerCertificates",
          "elasticloadbalancing:RemoveTags", "elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetRulePriorities",
          "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets", "elasticloadbalancing:SetWebAcl",
        ]
        Resource  = concat(local.balancers, local.listeners)
        Condition = local.has_tag
      },
      {
        Sid      = "Firewall"
        Effect   = "Allow"
        Action   = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACL", "wafv2:GetWebACLForResource"]
        Resource = ["arn:aws:wafv2:${var.region}:${var.account_id}:regional/webacl/*", "${local.elb}:loadbalancer/app/*"]
      },
      {
        Sid      = "MakeGroupsInTheVpc"
        Effect   = "Allow"
        Action   = "ec2:CreateSecurityGroup"
        Resource = "${local.ec2}:vpc/${var.vpc_id}"
      },
      {
        Sid       = "MakeGroups"
        Effect    = "Allow"
        Action    = "ec2:CreateSecurityGroup"
        Resource  = "${local.ec2}:security-group/*"
        Condition = local.asks_tag
      },
      {
        Sid       = "TagGroups"
        Effect    = "Allow"
        Action    = "ec2:CreateTags"
        Resource  = "${local.ec2}:security-group/*"
        Condition = { StringEquals = { "ec2:CreateAction" = "CreateSecurityGroup", "aws:RequestTag/${local.tag}" = var.name } }
      },
      {
        Sid       = "ChangeItsGroups"
        Effect    = "Allow"
        Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress"]
        Resource  = "${local.ec2}:security-group/*"
        Condition = local.has_tag
      },
      {
        Sid      = "LetBalancersReachPods"
        Effect   = "Allow"
        Action   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
        Resource = "${local.ec2}:security-group/${aws_eks_cluster.this.vpc_config[0].cluster_security_group_id}"
      },
    ]
  }
}
