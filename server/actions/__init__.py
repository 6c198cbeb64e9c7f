"""What people do: each function is one transaction; payload classes say what it takes."""
