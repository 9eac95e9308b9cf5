"""Training recipes of the shipped networks. Only `semcore train` loads them."""
