"""Answers: articles in, the ones that fit a question out. Usable without the server."""
