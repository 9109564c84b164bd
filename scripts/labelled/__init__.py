"""How well infrastructure code is read: labels that people write, what is found, and how the two compare.

`labels` what a person says of a file, `found` what an import of it finds, `comparing` the one held against the other,
`page` the tables of docs/maintainers/accuracy.md.
"""
