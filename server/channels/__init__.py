"""Ways in and out other than the web chat."""
