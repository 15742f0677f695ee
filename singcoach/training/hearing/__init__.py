"""Teaching the ear of a small language model: which faults it can name from the sound alone."""
