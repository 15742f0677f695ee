"""Where somebody sings: kind of recording, singing and speech regions, phrases."""
