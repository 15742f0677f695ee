"""The voice apart from its accompaniment, and the voice without its room."""
