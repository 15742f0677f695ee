"""The life of one take, as a short list of named stages with a cache between them."""
