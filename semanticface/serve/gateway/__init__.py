"""The friendly face before vLLM: pictures in, checked; numbers and words out, as JSON."""
