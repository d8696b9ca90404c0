"""Architecture × Baseline → Comparison: deepdiff, then one table that ranks and explains each difference."""
