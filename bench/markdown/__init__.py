"""What docs/markdown.md's numbers come from: the Markdown renderer beside its peers, in one run."""
