"""The frozen values that travel through the chain: no I/O, no Qt, no models."""
