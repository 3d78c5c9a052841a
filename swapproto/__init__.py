"""Battery-swap packs and stations on CAN: messages, transport, role machines, traces."""

__version__ = "0.1.0"
