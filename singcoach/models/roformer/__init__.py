"""MelBand Roformer: configuration, band layout, network and conversion of public checkpoints."""
