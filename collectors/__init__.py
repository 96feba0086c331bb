"""How do we learn it? One module or folder per source type; never a verdict."""
