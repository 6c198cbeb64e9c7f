"""The HTTP edge: pages, files and health. ``routes`` puts it together."""
