"""Shopbell: customer-service chat and ticketing for web shops."""

__version__ = "0.1.0"
