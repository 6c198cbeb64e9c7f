"""The whole product in a real browser: a shop's page and the console, each on its own origin."""
