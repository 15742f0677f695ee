"""What a general audio encoder hears in a whole song: one vector every 20 ms."""
