"""A trained model where others can ask it: vLLM, a client, a gateway, a live stream."""
