"""What is kept: singers, songs, takes, notes and results, on disk and in one database."""
