"""Hosts: where the relay lives, and the roots that compose it."""
