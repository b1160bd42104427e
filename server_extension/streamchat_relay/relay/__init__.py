"""The engine: logs, runs, and the pumps that carry events to readers."""
