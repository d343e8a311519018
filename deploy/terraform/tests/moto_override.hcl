# Where moto answers otherwise than AWS, so that a second plan would see changes; deploy/checks/moto.py lays it over a copy.

resource "aws_eks_cluster" "this" {
  lifecycle {
    # moto forgets it.
    ignore_changes = [access_config]
  }
}

resource "aws_launch_template" "node" {
  lifecycle {
    # moto takes the template's own tags for its instances'.
    ignore_changes = [tag_specifications]
  }
}

resource "aws_eks_node_group" "this" {
  lifecycle {
    # moto gives every group a key for SSH, and forgets how many nodes may be away.
    ignore_changes = [scaling_config[0].desired_size, remote_access, update_config]
  }
}
