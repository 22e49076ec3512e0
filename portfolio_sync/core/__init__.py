"""The nouns every other folder speaks in. Standard library only; imports nothing of ours."""
