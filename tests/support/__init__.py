"""What tests share: databases, server processes, browser, Node, waiting."""
