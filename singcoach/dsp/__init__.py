"""Functions on arrays of samples, shared by the rooms above."""
