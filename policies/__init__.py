"""What is required, and is it met? Rules, standards, verdicts, scores, people's answers."""
