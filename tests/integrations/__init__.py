"""The adapters of other libraries, with the libraries themselves and their own fake models."""
