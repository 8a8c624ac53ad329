"""How sure a model must be that it sees a face."""

LEAST_CONFIDENCE = 0.70
"""Mean over the channels. Of the packaged small model, by `scripts/experiments/no_face.py`: at most
two in a hundred faces are less sure, of whichever of two renderers."""
