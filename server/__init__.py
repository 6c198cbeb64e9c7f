"""Shopbell: customer-service chat and ticketing for web shops."""
