"""The page, a section a module: each a function from a draft to blocks of Markdown."""
