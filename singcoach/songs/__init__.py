"""Written songs: the notes that should have been sung."""
