"""What the lab's clusters hold: pure functions from a plan to objects, one module a subject."""
