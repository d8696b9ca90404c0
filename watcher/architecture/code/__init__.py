"""The code witness: modeling code read as a syntax tree and interpreted symbolically; nothing is imported or executed."""
