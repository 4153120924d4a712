"""One kind of offer a file, each with its keys, its cost and its words."""
