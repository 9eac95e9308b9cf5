"""Recipes: how the shipped networks are trained. Only `semcore train` loads them."""
