"""The Socket.IO edge: commands in, events and signals out."""
