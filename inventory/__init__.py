"""What exists, and since when? Resource kinds, coverage, evidence, history, selectors, store."""
