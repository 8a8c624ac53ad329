"""Who is better, by how much, how surely: sources of coefficients against a reference."""
