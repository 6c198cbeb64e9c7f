"""Mail: read with suspicion, threaded by what only we can have written, sent at least once."""
