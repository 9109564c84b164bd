"""JavaScript and TypeScript to nodes, by the grammars of tree-sitter."""
