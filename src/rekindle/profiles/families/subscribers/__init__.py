"""What is paid for again and again: families as those beside it, one a file."""
