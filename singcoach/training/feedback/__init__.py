"""Teaching a small language model the coach's words: pairs, a network with adapters, merging."""
