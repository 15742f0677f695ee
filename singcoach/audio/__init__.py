"""Sound files: reading every format singers have, writing wav, encoding clips, hashing."""
