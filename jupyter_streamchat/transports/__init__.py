"""Ways for frames to travel between a kernel and its relay."""
