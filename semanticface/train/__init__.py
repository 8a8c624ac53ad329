"""Teaching a model: the small model, loading, parts that learn, what is kept of a run."""
