"""What was asked, of whom, and what came back: codebook, reading of files, stand-in population, weights."""
