"""Pictures of every state of the chat: staged, taken in a real JupyterLab, and compared."""
