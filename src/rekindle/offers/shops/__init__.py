"""The shops that make codes, a file each."""
