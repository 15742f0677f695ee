"""What was sung: fundamental frequency, notes, vibrato, tuning, key, and the shape of each note."""
