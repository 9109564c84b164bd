"""Reference pages that are generated from the model file's shape and the library."""
