"""Faces into words and numbers, with multimodal language models."""

__version__ = "0.1.0"
