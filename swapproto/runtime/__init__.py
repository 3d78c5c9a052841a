"""The only modules of the core that read a clock or wait, and the virtual bus that needs neither."""
