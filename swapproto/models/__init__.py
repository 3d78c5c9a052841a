"""Simple physics behind a simulated device: battery and charger."""
