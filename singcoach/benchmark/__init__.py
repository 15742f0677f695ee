"""Speed and memory of the chain and its stages, beside other software in the same run."""
