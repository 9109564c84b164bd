"""Attack paths: how the threats to a system follow from each other, and which controls cut them."""
