"""Where things stand in the tables of the shader: columns, kinds of triangle, settings."""

from __future__ import annotations

import numpy as np

F = np.float32
# places in a row of the table: a coat's columns, with room for what moves
RED, GREEN, BLUE, OPEN, NORMAL, FOLD, REGION, PLACE = 0, 1, 2, 3, 4, 7, 8, 9
BROW, LIP, LID, SPARE, COLUMNS = 12, 13, 14, 15, 16
# further places in `s`: how the surface shines, and a flat colour
SPECULAR, GLOSS, WRAP, OUT, SCRATCH = 16, 17, 18, 19, 32

# kinds of triangle
SKIN, FEATURE, EYE_LEFT, EYE_RIGHT, TEETH, WET, HAIR, LASH, KINDS = 0, 1, 2, 3, 4, 5, 6, 7, 8

# places in `settings`
FOCAL, FOLDS, FLOOR, GRAIN, PARTIAL = 0, 1, 2, 3, 4
