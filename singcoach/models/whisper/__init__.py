"""Encoders of the Whisper family: from anyone's checkpoint to a network that runs here."""
