"""Made singing: random melodies sung by voices put together from real ones, with known truth."""
