"""Making controlled material and training heads on it; nothing here runs when a take is judged."""
