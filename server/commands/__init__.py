"""The commands of ``shopbell``: one module for each group of them."""
