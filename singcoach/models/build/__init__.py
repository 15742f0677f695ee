"""Remaking of the shipped model files from the registry packages that carry the weights."""
