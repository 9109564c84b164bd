"""The assessment as JSON: a versioned contract."""
