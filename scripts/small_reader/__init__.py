"""A small language model that reads a frozen tower's tokens: what the experiments train."""
