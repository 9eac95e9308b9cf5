"""What recipes share: the training loop, checkpoints, model cards."""
