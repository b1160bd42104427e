"""The wire: frames, their codec, and sans-I/O sessions for both ends."""
