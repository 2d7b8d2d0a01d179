"""One module for each page: read input, call one use case, draw."""
