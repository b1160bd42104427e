"""Agents, chains and engines of other libraries as models, a module for each library."""
