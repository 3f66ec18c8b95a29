"""Access control lists from the control side: the lists, where they apply, sessions, MACIP lists, whitelists."""
