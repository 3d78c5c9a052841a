"""Role machines: what a charger and a BMS do, as tables, without a clock."""
