"""J1939-21 transport: payloads of 9 to 1785 bytes over 8-byte frames."""
