"""How good coefficients are, and how surely: each number with its formula and interval."""
