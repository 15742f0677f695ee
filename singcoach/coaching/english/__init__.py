"""Reading English: which claims a sentence makes, and a refusal of everything that is not known."""
