"""What the README's numbers come from: the relay beside its peers, in one run."""
