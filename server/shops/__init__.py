"""Shop systems: what their deliveries say, in the one form that the desk takes over."""
