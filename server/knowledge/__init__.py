"""The articles in memory: following their changes, and searching them off the event loop."""
