"""Samples to learn from: records, tasks, sources, splits, augmentation, token budgets."""
