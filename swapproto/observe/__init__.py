"""What a passive listener can tell of a bus: messages, phases, edition, deviations, violations."""
